import type { Ledger } from "../../../runtime/ledger/ledger.ts";
import type { State, WindowStep } from "../../../runtime/state/state.ts";
import type { ruleSets } from "./correlations.testing.ts";

/** A design that looks right; the property must tell that it is not. */
export interface Planted {
  readonly name: string;
  readonly set: keyof typeof ruleSets;
  readonly state?: (state: State) => State;
  readonly ledger?: (ledger: Ledger) => Ledger;
}

/** A state that is asked something else than it should be. */
const asking = (change: (step: WindowStep) => WindowStep) => (state: State) => ({
  ...state,
  window: (step: WindowStep) => state.window(change(step)),
});

const states: readonly Planted[] = [
  {
    name: "only the position of the arriving event is evaluated",
    set: "counts",
    state: (state) => ({
      ...state,
      window: async (step) => {
        const answer = await state.window(step);
        const bucket = Math.floor(step.time / step.timespanMs);
        const isOwn = (found: { bucket: number; crossedAt: number }) =>
          found.bucket === bucket && found.crossedAt <= step.time;
        return { ...answer, qualified: answer.qualified.filter(isOwn) };
      },
    }),
  },
  {
    name: "buckets count from the arrival, not from the event time",
    set: "counts",
    state: (state) => {
      let arrivals = 0;
      return {
        ...state,
        window: async (step) => {
          arrivals += 1;
          const answer = await state.window(step);
          return { ...answer, qualified: answer.qualified.map((found) => ({ ...found, bucket: arrivals })) };
        },
      };
    },
  },
  {
    name: "late events are dropped",
    set: "counts",
    state: (state) => ({
      ...state,
      window: async (step) => ({ ...(await state.window(step)), late: false }),
    }),
  },
  {
    name: "a loss goes unnoticed",
    set: "counts",
    state: (state) => {
      const covered = new Map<string, Promise<void>>();
      return {
        ...state,
        window: async (step) => {
          const { series } = step;
          const covering = covered.get(series) ?? state.rebuild([{ series, from: 0 }], async () => {});
          covered.set(series, covering);
          await covering;
          return await state.window(step);
        },
      };
    },
  },
  {
    name: "a member confirmed for one bucket is confirmed for both",
    set: "counts",
    state: (state) => ({
      ...state,
      confirm: async (window, recorded) => {
        const both = recorded.flatMap(({ bucket, members }) => [
          { bucket, members },
          { bucket: bucket + 1, members },
          { bucket: bucket - 1, members },
        ]);
        await state.confirm(window, both);
      },
    }),
  },
  {
    name: "members are confirmed as soon as they are told, recorded or not",
    set: "counts",
    state: (state) => ({
      ...state,
      window: async (step) => {
        const answer = await state.window(step);
        await state.confirm(step, answer.qualified);
        return answer;
      },
    }),
  },
  {
    name: "every window slides",
    set: "windows",
    state: asking((step) => ({ ...step, window: { kind: "sliding" } })),
  },
  {
    name: "equal values are counted each time",
    set: "windows",
    state: asking((step) => ({ ...step, value: `${step.value} of ${step.member}` })),
  },
  {
    name: "the rules of a sequence are seen in any order",
    set: "windows",
    state: asking((step) => {
      const { condition } = step;
      if (condition.kind !== "sequence") return step;
      return { ...step, condition: { kind: "rules", anyOf: [2 ** condition.length - 1] } };
    }),
  },
  {
    name: "an event shows only one of the rules it matches",
    set: "windows",
    state: asking((step) => ({ ...step, rules: (step.rules ?? 0) & -(step.rules ?? 0) })),
  },
  {
    name: "correlations of correlations are asked only where their own members crossed",
    set: "chains",
    state: (state) => ({
      ...state,
      window: async (step) => {
        const answer = await state.window(step);
        return { ...answer, qualified: answer.qualified.filter(({ crossedAt }) => crossedAt === step.time) };
      },
    }),
  },
  {
    name: "what was told by one correlation counts as told by all",
    set: "chains",
    state: (state) => ({
      ...state,
      confirmLate: (window, recorded) => state.confirmLate({ ...window, key: "" }, recorded),
      unconfirmedLate: (window, buckets) => state.unconfirmedLate({ ...window, key: "" }, buckets),
    }),
  },
];

const ledgers: readonly Planted[] = [
  {
    name: "a timer is armed once and for all",
    set: "settled",
    ledger: (ledger) => {
      const armed = new Set<string>();
      return {
        ...ledger,
        record: (evaluation) => {
          const { timers = [] } = evaluation;
          const fresh = timers.filter(({ series, group, bucket }) => {
            const name = `${series} ${group} ${bucket}`;
            return !armed.has(name) && armed.add(name);
          });
          return ledger.record({ ...evaluation, timers: fresh });
        },
      };
    },
  },
  {
    name: "an event arms the timer of its own bucket only",
    set: "settled",
    ledger: (ledger) => ({
      ...ledger,
      record: (evaluation) => {
        const own = (evaluation.timers ?? []).filter(({ onlyWhenLate }) => !onlyWhenLate);
        return ledger.record({ ...evaluation, timers: own });
      },
    }),
  },
  {
    name: "a timer is removed before its bucket is judged",
    set: "settled",
    ledger: (ledger) => ({
      ...ledger,
      dueTimers: async (claim) => {
        const due = await ledger.dueTimers(claim);
        for (const timer of due) await ledger.settle({ timer, detections: [] }).catch(() => undefined);
        return due;
      },
    }),
  },
  {
    name: "a bucket is judged by what was recorded in time only",
    set: "settled",
    ledger: (ledger) => {
      const seen = new Set<string>();
      return {
        ...ledger,
        record: (evaluation) => {
          if (seen.size < 4) seen.add(evaluation.event.id);
          return ledger.record(evaluation);
        },
        async *replay(range) {
          for await (const entry of ledger.replay(range)) if (seen.has(entry.event.id)) yield entry;
        },
      };
    },
  },
];

export const planted: readonly Planted[] = [...states, ...ledgers];
