import { array, boolean, constantFrom, integer, nat, option, record } from "fast-check";
import type { Arbitrary } from "fast-check";

import type { AuditRecorded } from "../../../events/contracts/audit-recorded.ts";
import { auditRecorded } from "../../../events/contracts/audit-recorded.ts";
import { createEvent } from "../../../events/envelope.ts";
import type { Event } from "../../../events/event.ts";
import { toInstant } from "../../../events/time.ts";
import type { Crash } from "./faulty.testing.ts";

/** One way a set of events reaches the detectors. */
export interface Story {
  readonly events: readonly Told[];
  /** How many of the events, the last ones, come after everything else was judged. */
  readonly stragglers: number;
  /** Whether what is due is judged while the stragglers come. */
  readonly isBusy: boolean;
  /** Deliveries by index of the event; each event that is missing is delivered at the end. */
  readonly deliveries: readonly Planned[];
  readonly replicas: number;
  /** How many deliveries are under way at once. */
  readonly parallel: number;
  /** How long each operation on state and ledger takes, in turns of the event loop's microtasks, in a cycle. */
  readonly delays: readonly number[];
  /** Where the workers that judge what is due die, one after the other. */
  readonly settling: readonly ("before" | "after" | null)[];
}

interface Told {
  readonly user: number;
  readonly host: number;
  /** Half seconds from a moment in the past. */
  readonly half: number;
  readonly result: string;
  readonly bytes: number | null;
}

export interface Planned {
  readonly event: number;
  readonly replica: number;
  /** Where this delivery dies; it comes again later. */
  readonly crash: Crash | null;
  /** What happens to the state while this delivery is under way. */
  readonly loss: number | null;
}

const crashes = [
  ["accept", "after"],
  ["after-accept", "before"],
  ["after-window", "before"],
  ["record", "before"],
  ["record", "after"],
  ["after-record", "before"],
  ["before-answer", "before"],
] as const;

/**
 * Times in half seconds, in bursts that tie and that leave gaps longer than a window, up to 40 s apart
 * and so beyond the lateness of 15 s in many orders; sometimes an hour ago.
 */
const half = integer({ min: 0, max: 11 }).chain((burst) =>
  burst === 11 ? integer({ min: -7204, max: -7196 }) : nat({ max: 8 }).map((offset) => burst * 7 + offset),
);

/** `losses`: how many ways of losing its memory the state has. */
export function story(losses: number): Arbitrary<Story> {
  const told = record({
    user: nat({ max: 1 }),
    host: nat({ max: 1 }),
    half,
    result: constantFrom("FAILURE", "FAILURE", "FAILURE", "SUCCESS", "DENIED", "BOTH"),
    bytes: option(nat({ max: 3 }), { freq: 6 }),
  });
  const planned = record({
    event: nat({ max: 15 }),
    replica: nat({ max: 3 }),
    crash: option(constantFrom(...crashes), { freq: 2 }),
    loss: option(nat({ max: losses - 1 }), { freq: 12 }),
  });
  return record({
    events: array(told, { minLength: 1, maxLength: 16 }),
    stragglers: nat({ max: 4 }),
    isBusy: boolean(),
    deliveries: array(planned, { maxLength: 30 }),
    replicas: integer({ min: 1, max: 4 }),
    parallel: integer({ min: 1, max: 6 }),
    delays: array(nat({ max: 5 }), { minLength: 1, maxLength: 20 }),
    settling: array(constantFrom("before", "after", null), { maxLength: 4 }),
  });
}

/** The events of a story, and the deliveries of those that come in time and of the stragglers. */
export function eventsOf({ events, stragglers, deliveries }: Story, base: number) {
  const inTime = Math.max(1, events.length - stragglers);
  const planned: readonly Planned[] = [
    ...deliveries.map((delivery) => ({ ...delivery, event: delivery.event % events.length })),
    ...events.map((_, event) => ({ event, replica: event, crash: null, loss: null })),
  ];
  return {
    events: events.map((told, index) => toEvent(told, `e${index}`, base)),
    inTime,
    first: planned.filter(({ event }) => event < inTime),
    late: planned.filter(({ event }) => event >= inTime),
  };
}

function toEvent({ user, host, half, result, bytes }: Told, id: string, base: number): Event<AuditRecorded> {
  return createEvent(auditRecorded, {
    id,
    source: "/order-free",
    time: toInstant(base + half * 500),
    data: {
      event_type: "user_login",
      user_id: `u${user}`,
      server_hostname: `h${host}`,
      action_result: result,
      details: { target: `u${host}`, ...(bytes === null ? {} : { bytes }) },
    },
  });
}
