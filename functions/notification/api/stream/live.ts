import { catchUp } from "./catch-up.ts";
import { createCounting } from "./counting.ts";
import { type Cursor, isBeyond } from "./cursor.ts";
import type { FeedDeps, Member } from "./feed.ts";
import { createPosition } from "./position.ts";

/** A feed with members: it listens, looks and tells. */
export interface Live extends AsyncDisposable {
  readonly members: Set<Member>;
  /** Those who joined or are joining. */
  held: number;
  /**
   * Resolves once it is known from where the member is told; what it missed follows by itself, and then it
   * is among the members. `isGone` says that it has left meanwhile.
   */
  admit(member: Member, since: Cursor | undefined, isGone: () => boolean): Promise<void>;
}

export function createLive(deps: FeedDeps): Live {
  const { reader, pace, log } = deps;
  const members = new Set<Member>();
  const position = createPosition(reader, (told) => {
    for (const member of members) member.told(told);
  });
  const counting = createCounting({
    count: () => reader.count(),
    tell: (counters) => {
      for (const member of members) member.counted(counters);
    },
    everyMs: pace.countMs,
    log,
  });
  async function look(): Promise<Cursor> {
    const { cursor, changed } = await position.look();
    if (changed) counting.wake();
    return cursor;
  }

  const watching = watch(deps, { look, lookedMs: () => position.lookedMs() });

  return {
    members,
    held: 0,
    async admit(member, since, isGone) {
      // Asked first, so that a database that is away is told as such, and not by an empty stream.
      const cursor = await look();
      const counters = await counting.current();
      const isUnknown = since !== undefined && isBeyond(since, cursor);
      if (isUnknown) member.reset();
      member.counted(counters);
      const from = since === undefined || isUnknown ? cursor : since;
      member.told({ changes: [], cursor: from });
      const enter = () => void (isGone() || members.add(member));
      catchUp({ reader, position, member, enter }, from).catch((error: unknown) => member.failed(error));
    },
    async [Symbol.asyncDispose]() {
      counting.stop();
      await watching[Symbol.asyncDispose]();
      await position.undisturbed(async () => undefined);
    },
  };
}

interface Looking {
  readonly look: () => Promise<unknown>;
  readonly lookedMs: () => number;
}

/** Looks whenever changes are heard of, and now and then even so: often while nothing can be heard. */
function watch({ listen, pace, log }: FeedDeps, { look, lookedMs }: Looking): AsyncDisposable {
  let due: NodeJS.Timeout | undefined;
  let failed = false;
  let stopped = false;

  async function run(): Promise<void> {
    due = undefined;
    try {
      await look();
      failed = false;
    } catch (error) {
      failed = true;
      log.debug({ err: error }, "changes could not be read");
    }
  }

  /** At once after a rest, and once for everything that is heard meanwhile. */
  function wake(): void {
    if (due !== undefined || stopped) return;
    due = setTimeout(() => void run(), Math.max(0, lookedMs() + pace.restMs - performance.now()));
  }

  const listening = listen(wake);
  const timer = setInterval(() => {
    const patienceMs = listening.isUp() && !failed ? pace.anywayMs : pace.deafMs;
    if (performance.now() - lookedMs() >= patienceMs) wake();
  }, pace.deafMs / 2).unref();
  return {
    async [Symbol.asyncDispose]() {
      stopped = true;
      clearTimeout(due);
      clearInterval(timer);
      await listening[Symbol.asyncDispose]();
    },
  };
}
