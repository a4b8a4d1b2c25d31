import type { Broker } from "../../events/broker/broker.ts";
import type { Wiring } from "../../events/broker/topology.ts";
import { alertRaised } from "../../events/contracts/alert-raised.ts";
import { deriveUuid } from "../../events/identity.ts";
import type { MakeDurable } from "../../functions/generator/durability.ts";
import type { Ledger } from "../../runtime/ledger/ledger.ts";
import type { Tables, Write } from "./alert-tables.ts";
import { type Database, keyOf, type World } from "./database.ts";
import type { PlantState } from "./state-server.ts";
import type { GroupLocks } from "./store.ts";

/** Faults of design, planted into the parts of a run to see whether it notices. Never in the product. */
export interface Plants {
  readonly state?: PlantState;
  readonly analysisLedger?: (ledger: Ledger) => Ledger;
  readonly broker?: (broker: Broker, at: { readonly world: World; readonly wiring: Wiring }) => Broker;
  readonly database?: (database: Database, world: World) => Database;
  readonly locks?: GroupLocks;
  /** Changes what a transaction of notification is about to commit. */
  readonly write?: (write: Write, tables: Tables) => Write;
  readonly makeDurable?: (makeDurable: MakeDurable) => MakeDurable;
  readonly withoutReconciler?: true;
}

export interface Planted {
  readonly name: string;
  /** What the run must complain of: the beginning of one of its violations. */
  readonly noticedAs: RegExp;
  readonly plants: () => Plants;
}

export const planted: readonly Planted[] = [
  {
    name: "a message is acknowledged before its dead letter is stored",
    noticedAs: /^messages: unjustified/,
    plants: () => ({
      broker: (broker, { world, wiring }) => ({
        ...broker,
        async publish(exchange, message) {
          if (exchange === wiring.exchange) return await broker.publish(exchange, message);
          void world.scheduler
            .step("stores the dead letter later")
            .then(() => broker.publish(exchange, message))
            .catch(() => undefined);
          return { routed: true };
        },
      }),
    }),
  },
  {
    name: "an event is marked evaluated before its windows were asked",
    noticedAs: /^(recorded|alerts): missing/,
    plants: () => {
      const marked = new Set<string>();
      return {
        analysisLedger: (ledger) => ({
          ...ledger,
          async accept(event) {
            const acceptance = await ledger.accept(event);
            if (acceptance.outcome === "conflict") return acceptance;
            const isMarked = marked.has(keyOf(event));
            marked.add(keyOf(event));
            return isMarked ? { detections: [], ...acceptance, outcome: "duplicate" } : acceptance;
          },
          unevaluated: async (page) =>
            (await ledger.unevaluated(page)).filter((event) => !marked.has(keyOf(event))),
        }),
      };
    },
  },
  {
    name: "only the position of the arriving event is evaluated",
    noticedAs: /^(recorded|alerts): (missing|unjustified)/,
    plants: () => ({
      state: (state) => ({
        ...state,
        async window(step) {
          const answer = await state.window(step);
          const own = Math.floor(step.time / step.timespanMs);
          const qualified = answer.qualified.filter(
            ({ bucket, crossedAt }) => bucket === own && crossedAt <= step.time,
          );
          return { ...answer, qualified };
        },
      }),
    }),
  },
  {
    name: "evidence is confirmed before it is recorded",
    noticedAs: /^(recorded|alerts): (missing|unjustified)/,
    plants: () => ({
      state: (state) => ({
        ...state,
        async window(step) {
          const answer = await state.window(step);
          await state.confirm(step, answer.qualified);
          return answer;
        },
      }),
    }),
  },
  {
    name: "the id of an alert is made, not derived",
    noticedAs: /^(recorded|alerts): unjustified/,
    plants: () => {
      let made = 0;
      return {
        analysisLedger: (ledger) => ({
          ...ledger,
          record: (evaluation) =>
            ledger.record({
              ...evaluation,
              detections: evaluation.detections.map((detection) => ({
                ...detection,
                data: {
                  ...alertRaised.data.parse(detection.data),
                  alert_id: deriveUuid("made", String((made += 1))),
                },
              })),
            }),
        }),
      };
    },
  },
  {
    name: "an event is answered with what this run saw, not with what is recorded",
    noticedAs: /^emissions: /,
    plants: () => ({
      analysisLedger: (ledger) => ({
        ...ledger,
        async record(evaluation) {
          await ledger.record(evaluation);
          return evaluation.detections;
        },
      }),
    }),
  },
  {
    name: "notification counts emissions, not evidence",
    noticedAs: /^episodes: (missing|unjustified)/,
    plants: () => ({
      write: (write, tables) => ({
        ...write,
        commit() {
          const before = new Map(tables.episodes);
          write.commit();
          for (const [id, episode] of tables.episodes) {
            if (before.get(id) === episode) continue;
            tables.episodes.set(id, {
              ...episode,
              count: (before.get(id)?.count ?? 0) + write.outcomes.length,
            });
          }
        },
      }),
    }),
  },
  {
    name: "notification joins episodes without locking their group",
    noticedAs: /^(alerts|episodes): (missing|unjustified)/,
    plants: () => ({ locks: { hold: (_groups, work) => work() } }),
  },
  {
    name: "an alert is marked as stored before it is",
    noticedAs: /^alerts: missing/,
    plants: () => ({
      database: (database) => ({
        ...database,
        // What the detector answers with counts as stored, whether it arrives or not.
        ledger: {
          ...database.ledger,
          async record(evaluation) {
            const recorded = await database.ledger.record(evaluation);
            database.marks.stored(recorded);
            return recorded;
          },
        },
      }),
    }),
  },
  {
    name: "an event is acknowledged before it is durable",
    noticedAs: /^accepted: unjustified/,
    plants: () => ({
      makeDurable: (makeDurable) => async (event, bytes) => {
        void makeDurable(event, bytes).catch(() => undefined);
        return "stored";
      },
    }),
  },
  {
    name: "a refusal marks whatever event has the id of the refused one",
    noticedAs: /^account/,
    plants: () => ({
      database: (database) => ({
        ...database,
        marks: {
          ...database.marks,
          refused: (event, reason) => void database.ledger.markRejected(event, reason).catch(() => undefined),
        },
      }),
    }),
  },
  {
    name: "a loss of the state goes unnoticed",
    noticedAs: /^(recorded|alerts): missing/,
    plants: () => ({
      state: (state) => {
        const covering = new Map<string, Promise<void>>();
        return {
          ...state,
          async window(step) {
            const { series } = step;
            const covered = covering.get(series) ?? state.rebuild([{ series, from: 0 }], async () => {});
            covering.set(series, covered);
            await covered;
            return await state.window(step);
          },
        };
      },
    }),
  },
  {
    name: "late events are not evaluated from the ledger",
    noticedAs: /^(recorded|alerts): (missing|unjustified)/,
    plants: () => ({
      state: (state) => ({
        ...state,
        window: async (step) => ({ ...(await state.window(step)), late: false }),
      }),
    }),
  },
  {
    name: "a timer is gone before its alerts are recorded",
    noticedAs: /^settled alerts: missing/,
    plants: () => ({
      analysisLedger: (ledger) => ({
        ...ledger,
        async dueTimers(claim) {
          const due = await ledger.dueTimers(claim);
          for (const timer of due) await ledger.settle({ timer, detections: [] });
          return due;
        },
      }),
    }),
  },
  {
    name: "a timer is armed when its group is new, and never again",
    noticedAs: /^settled alerts: missing/,
    plants: () => {
      const armed = new Set<string>();
      return {
        analysisLedger: (ledger) => ({
          ...ledger,
          async record(evaluation) {
            const { timers = [] } = evaluation;
            const fresh = timers.filter(({ group, bucket }) => !armed.has(`${bucket} ${group}`));
            const recorded = await ledger.record({ ...evaluation, timers: fresh });
            for (const { group, bucket } of fresh) armed.add(`${bucket} ${group}`);
            return recorded;
          },
        }),
      };
    },
  },
  {
    name: "nobody reconciles",
    noticedAs: /^(account|alerts: missing|settled)/,
    plants: () => ({ withoutReconciler: true }),
  },
];
