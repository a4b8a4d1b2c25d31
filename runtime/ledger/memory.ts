import type { Event } from "../../events/event.ts";
import { type EventIdentity, eventKey } from "../../events/identity.ts";
import { parseInstant } from "../../events/time.ts";
import type { Acceptance, Evaluation, EventRange, Ledger, OverduePage } from "./ledger.ts";
import { backoffMs, futureMs } from "./limits.ts";
import { createMemoryTimers } from "./memory-timers.ts";
import { digestOf, fromText, toText } from "./stored-event.ts";

interface Due {
  readonly text: string;
  attempts: number;
  nextAt: number;
}

interface Entry extends Due {
  readonly key: string;
  readonly type: string;
  readonly digest: Buffer;
  readonly time: number;
  verdict?: "evaluated" | "rejected";
  /** Keys into the detections. */
  detections: readonly string[];
}

interface Detection extends Due {
  readonly key: string;
  stored: boolean;
}

export interface MemoryLedger extends Ledger {
  /** How many timers wait, due or not. */
  timers(): number;
}

/** The ledger in memory, for tests: what it keeps goes with the process. `now` is its clock. */
export function createMemoryLedger({ now }: { readonly now: () => number }): MemoryLedger {
  const timers = createMemoryTimers(now);
  const { entries, detections, offer, decide, raise } = createBook(now);
  const all = () => [...entries.values()];
  const of = (verdict: Entry["verdict"]) => all().filter((entry) => entry.verdict === verdict);
  const unstored = () => [...detections.values()].filter(({ stored }) => !stored);
  return {
    accept: async (event) => offer(event),
    async record(evaluation) {
      const { isFirst, recorded } = decide(evaluation);
      if (isFirst) timers.arm(evaluation.timers ?? []);
      return recorded;
    },
    dueTimers: async (claim) => timers.claim(claim),
    settle: async ({ timer, detections }) => (timers.remove(timer) ? raise(detections) : undefined),
    async markStored(identities) {
      const keys = keysOf(identities);
      for (const detection of detections.values()) detection.stored ||= keys.has(detection.key);
    },
    async markRejected(event) {
      const entry = entries.get(keyOf(event));
      if (entry) entry.verdict ??= "rejected";
    },
    unevaluated: async (page) => overdue(of(undefined), page, now()),
    unstored: async (page) => overdue(unstored(), page, now()),
    async markEmitted(emitted) {
      putOff(all(), keysOf(emitted.events ?? []), now());
      putOff([...detections.values()], keysOf(emitted.detections ?? []), now());
    },
    async *replay(range) {
      for (const { text, time } of inRange(all(), range)) yield { event: fromText(text), time };
    },
    counts: async () => ({
      accepted: entries.size,
      evaluated: of("evaluated").length,
      rejected: of("rejected").length,
      pending: of(undefined).length,
    }),
    timers: () => timers.size(),
    maintain: async () => undefined,
    exclusive: createLocks(),
  };
}

interface Decision {
  readonly isFirst: boolean;
  readonly recorded: readonly Event[];
}

/** What is kept, and the operations that decide what happens to an event. */
function createBook(now: () => number) {
  const entries = new Map<string, Entry>();
  // By cause and ordinal; those of timers, by their own key.
  const detections = new Map<string, Detection>();

  function detectionsOf(entry: Entry): readonly Event[] {
    return entry.detections.flatMap((place) => detections.get(place)?.text ?? []).map(fromText);
  }

  function offer(event: Event): Acceptance {
    const [key, digest] = [keyOf(event), digestOf(event)];
    const known = entries.get(key);
    if (known && !known.digest.equals(digest)) return { outcome: "conflict" };
    if (known?.verdict === "evaluated") {
      return { outcome: "duplicate", time: known.time, detections: detectionsOf(known) };
    }
    if (known) return { outcome: "duplicate", time: known.time };
    const own = parseInstant(event.time);
    const time = own !== undefined && own <= now() + futureMs ? own : now();
    const due = { text: toText(event), attempts: 0, nextAt: now() };
    entries.set(key, { ...due, key, type: event.type, digest, time, detections: [] });
    return { outcome: "stored", time };
  }

  function decide({ event, detections: raised }: Evaluation): Decision {
    const entry = entries.get(keyOf(event));
    if (!entry) {
      throw new Error(`Event ${JSON.stringify([event.source, event.id])} was evaluated but never accepted.`);
    }
    if (entry.verdict === "evaluated") return { isFirst: false, recorded: detectionsOf(entry) };
    entry.verdict = "evaluated";
    entry.detections = raised.map((detection, ordinal) => keep(`${entry.key}/${ordinal}`, detection));
    return { isFirst: true, recorded: raised };
  }

  function keep(place: string, detection: Event): string {
    const due = { text: toText(detection), attempts: 0, nextAt: now() };
    detections.set(place, { ...due, key: keyOf(detection), stored: false });
    return place;
  }

  /** Keeps those of a timer that are new; answers with them. */
  function raise(settled: readonly Event[]): readonly Event[] {
    const known = new Set([...detections.values()].map(({ key }) => key));
    const fresh = settled.filter((detection) => !known.has(keyOf(detection)));
    for (const detection of fresh) keep(`settled/${keyOf(detection)}`, detection);
    return fresh;
  }

  return { entries, detections, offer, decide, raise };
}

function createLocks(): Ledger["exclusive"] {
  const held = new Set<string>();
  return async (name, work) => {
    if (held.has(name)) return undefined;
    held.add(name);
    try {
      return await work(new AbortController().signal);
    } finally {
      held.delete(name);
    }
  };
}

function overdue(due: readonly Due[], { olderThanMs, limit }: OverduePage, now: number): readonly Event[] {
  return due
    .filter(({ nextAt }) => nextAt <= now - olderThanMs)
    .toSorted((a, b) => a.nextAt - b.nextAt)
    .slice(0, limit)
    .map(({ text }) => fromText(text));
}

function putOff(
  due: readonly (Due & { readonly key: string })[],
  keys: ReadonlySet<string>,
  now: number,
): void {
  for (const one of due) {
    if (!keys.has(one.key)) continue;
    one.nextAt = now + Math.min(backoffMs.longest, backoffMs.first * 2 ** Math.min(one.attempts, 20));
    one.attempts++;
  }
}

function inRange(entries: readonly Entry[], { from, to, types }: EventRange): readonly Entry[] {
  return entries
    .filter(({ time, type }) => time >= from && time < to && (!types || types.includes(type)))
    .toSorted((a, b) => a.time - b.time || (a.key < b.key ? -1 : 1));
}

const keyOf = (event: EventIdentity) => eventKey(event).toString("hex");
const keysOf = (events: readonly EventIdentity[]) => new Set(events.map(keyOf));
