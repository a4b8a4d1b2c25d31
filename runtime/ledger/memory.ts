import type { Event } from "../../events/event.ts";
import { type EventIdentity, eventKey } from "../../events/identity.ts";
import { parseInstant } from "../../events/time.ts";
import type { Acceptance, Evaluation, EventRange, Ledger, OverduePage } from "./ledger.ts";
import { backoffMs, futureMs } from "./limits.ts";
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

/** The ledger in memory, for tests: what it keeps goes with the process. `now` is its clock. */
export function createMemoryLedger({ now }: { readonly now: () => number }): Ledger {
  const { entries, detections, offer, decide } = createBook(now);
  const all = () => [...entries.values()];
  const of = (verdict: Entry["verdict"]) => all().filter((entry) => entry.verdict === verdict);
  const unstored = () => [...detections.values()].filter(({ stored }) => !stored);
  return {
    accept: async (event) => offer(event),
    record: async (evaluation) => decide(evaluation),
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
    maintain: async () => undefined,
    exclusive: createLocks(),
  };
}

/** What is kept, and the two operations that decide what happens to an event. */
function createBook(now: () => number) {
  const entries = new Map<string, Entry>();
  // By cause and ordinal.
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

  function decide({ event, detections: raised }: Evaluation): readonly Event[] {
    const entry = entries.get(keyOf(event));
    if (!entry) {
      throw new Error(`Event ${JSON.stringify([event.source, event.id])} was evaluated but never accepted.`);
    }
    if (entry.verdict === "evaluated") return detectionsOf(entry);
    entry.verdict = "evaluated";
    entry.detections = raised.map((detection, ordinal) => {
      const place = `${entry.key}/${ordinal}`;
      const due = { text: toText(detection), attempts: 0, nextAt: now() };
      detections.set(place, { ...due, key: keyOf(detection), stored: false });
      return place;
    });
    return raised;
  }

  return { entries, detections, offer, decide };
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
