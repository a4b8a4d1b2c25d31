import type { Chance } from "./chance.ts";

/** Every kind of fault, with how likely it is at each occasion when a run has it at all. */
const kinds = {
  // Network: between any two processes.
  "request delayed": 0.4,
  "request lost": 0.08,
  "request repeated": 0.15,
  "answer lost": 0.08,
  "connection reset": 0.3,
  "answered after the deadline": 0.02,
  // Ledger and alert tables.
  "database away": 0.04,
  "database executed, then failed": 0.04,
  "database slow": 0.03,
  "lock lost": 0.3,
  // State.
  "state away": 0.04,
  "state executed, then failed": 0.04,
  "state lost": 0.35,
  // Broker.
  "publish refused": 0.06,
  "publish stored, then unconfirmed": 0.06,
  "broker connection lost": 0.35,
  "broker drained": 0.15,
  "broker killed, queues kept": 0.25,
  "broker killed, queues lost": 0.15,
  // Processes.
  "failpoint throws": 0.05,
  "failpoint throws afterwards": 0.05,
  "failpoint kills": 0.04,
  "replica killed": 0.5,
  "service away for long": 0.15,
  // People.
  "webhook refuses": 0.3,
} as const;

export type Fault = keyof typeof kinds;
const names = Object.keys(kinds) as readonly Fault[];

export type Counts = Readonly<Record<Fault, number>>;

export function noCounts(): Record<Fault, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Fault, number>;
}

export interface Faults {
  /** Whether it happens now; counted. */
  strikes(fault: Fault): boolean;
  /** From now on nothing goes wrong. */
  stop(): void;
  readonly areOver: () => boolean;
  readonly counts: Counts;
}

/** What keeps a message from being retried to its end: a run of long absences does without. */
const restarting: ReadonlySet<Fault> = new Set([
  "broker connection lost",
  "broker drained",
  "broker killed, queues kept",
  "broker killed, queues lost",
]);

/**
 * A run has about half of the kinds, some of them more often than usual: runs that have everything at once
 * all look alike, and rarely get far enough for two rare faults to meet. One run in five is about services
 * that are away for longer than messages are retried.
 */
function likelihoods(chance: Chance): ReadonlyMap<Fault, number> {
  const isAboutAbsence = chance.happens(0.2);
  const chosen = names
    .filter(() => chance.happens(0.5))
    .map((name) => [name, Math.min(0.6, kinds[name] * chance.pick([0.5, 1, 1, 3]))] as const);
  if (!isAboutAbsence) return new Map(chosen);
  return new Map([
    ...chosen.filter(([name]) => !restarting.has(name)),
    ["service away for long", 0.6],
    ["publish refused", 0.25],
  ]);
}

export function createFaults(chance: Chance): Faults {
  const likely = likelihoods(chance);
  const counts = noCounts();
  let areOver = false;
  return {
    strikes(fault) {
      const probability = areOver ? undefined : likely.get(fault);
      if (probability === undefined || !chance.happens(probability)) return false;
      counts[fault] += 1;
      return true;
    },
    stop() {
      areOver = true;
    },
    areOver: () => areOver,
    counts,
  };
}
