import type { Log } from "../../../../runtime/log.ts";
import { createLive, type Live } from "./live.ts";
import type { AlertChanged, ChangesPage, ChangesRange, Counters } from "./read-changes.ts";
import type { Cursor } from "./cursor.ts";

/** What members are told. */
export interface Told {
  readonly changes: readonly AlertChanged[];
  /** Everything up to here has been told; absent when more of the same look follows. */
  readonly cursor: Cursor | undefined;
}

/** Whoever is told of changes. */
export interface Member {
  told(told: Told): void;
  counted(counters: Counters): void;
  /** Whoever comes back has a cursor that this database does not know: what they have is worth nothing. */
  reset(): void;
  /** Resolves when the member can take more. */
  ready(): Promise<void>;
  /** The gap could not be read; the member must come again. */
  failed(error: unknown): void;
}

/** What the feed asks of the database; each is one statement. */
export interface ChangesReader {
  current(): Promise<Cursor>;
  read(range: ChangesRange): Promise<ChangesPage>;
  count(): Promise<Counters>;
}

export interface FeedDeps {
  readonly reader: ChangesReader;
  /** Begins to listen for changes; `onNotify` is called when there may be some. */
  readonly listen: (onNotify: () => void) => { isUp(): boolean } & AsyncDisposable;
  readonly log: Log;
  readonly pace: FeedPace;
}

export interface FeedPace {
  /** At least this long between two looks: a flood of changes is told in portions. */
  readonly restMs: number;
  /** How often to look while nothing can be heard of changes, and how often even so. */
  readonly deafMs: number;
  readonly anywayMs: number;
  /** At least this long between two counts. */
  readonly countMs: number;
}

export interface Feed extends AsyncDisposable {
  /**
   * Tells a member what changed since its cursor, and from then on what changes. Throws UnavailableError
   * while the database is away. `leave` may be called more than once.
   */
  join(member: Member, since: Cursor | undefined): Promise<{ leave(this: void): void }>;
  /** Members now. */
  size(): number;
}

/**
 * One reader of changes for all members of a process. With the first member it begins to listen, and with
 * the last one it stops: nobody asks the database while nobody wants to know.
 */
export function createFeed(deps: FeedDeps): Feed {
  let live: Live | undefined;
  let size = 0;
  const closing = new Set<Promise<void>>();

  function leave(from: Live, member: Member): void {
    from.members.delete(member);
    size -= 1;
    from.held -= 1;
    if (from.held > 0) return;
    if (live === from) live = undefined;
    const closed = close(from);
    closing.add(closed);
    void closed.then(() => closing.delete(closed));
  }

  return {
    size: () => size,
    async join(member, since) {
      const joined = (live ??= createLive(deps));
      joined.held += 1;
      size += 1;
      let left = false;
      const leaveOnce = () => {
        if (left) return;
        left = true;
        leave(joined, member);
      };
      try {
        await joined.admit(member, since, () => left);
      } catch (error) {
        leaveOnce();
        throw error;
      }
      return { leave: leaveOnce };
    },
    async [Symbol.asyncDispose]() {
      await live?.[Symbol.asyncDispose]();
      await Promise.all(closing);
    },
  };
}

async function close(ended: Live): Promise<void> {
  await ended[Symbol.asyncDispose]();
}
