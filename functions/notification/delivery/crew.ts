import type { Failpoint } from "../../../runtime/failpoints.ts";
import type { FunctionHost } from "../../../runtime/function.ts";
import { createBoundedLabel } from "../../../runtime/metrics.ts";
import type { OpenChannel } from "../channels/channel.ts";
import { type AttemptPolicy, createAttempt } from "./attempt.ts";
import type { CircuitPolicy, CircuitView } from "./circuit.ts";
import { createLanes, type Lane } from "./lanes.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import type { Claim, DeliveryStore, Ended } from "./store.ts";
import { type GivenUp, isFull } from "./sweep.ts";

export interface CrewDeps extends Pick<FunctionHost<unknown>, "log" | "metrics" | "random" | "now"> {
  readonly store: DeliveryStore;
  readonly channels: () => ReadonlyMap<string, OpenChannel>;
  readonly policy: AttemptPolicy & CircuitPolicy & { readonly limit: number; readonly leaseMs: number };
  readonly elapsed: () => number;
  readonly failpoint: Failpoint;
  readonly aborting: AbortSignal;
  /** Nothing is claimed any more. */
  readonly isClosing: () => boolean;
  /** Asks for a look in so many milliseconds. */
  readonly lookIn: (ms: number) => void;
  /** Called after a commit that put events into the outbox. */
  readonly onOutbox?: () => void;
  /** The outcome of an attempt was not written. */
  readonly onFailure: (error: unknown) => void;
  /** An attempt has ended, and there is room for another one. */
  readonly onEnd: () => void;
}

/** Claims deliveries, makes their attempts and sees to it that the outcomes are written. */
export interface Crew {
  /** Begins as much of what is due as there is room for. */
  claimAll(): Promise<void>;
  /** Whether more may be due than there was room for. */
  mayWait(): boolean;
  inFlight(): number;
  /** Attempts begun until now. */
  attempts(): number;
  /** Milliseconds until something can be begun. */
  nextDue(): Promise<number | undefined>;
  /** Gives up what is beyond its horizon, or a good part of it when that is very much. */
  sweep(): Promise<void>;
  circuits(): ReadonlyMap<string, CircuitView>;
}

/** Pages that are swept at once. */
const sweepPages = 20;

export function createCrew(deps: CrewDeps): Crew {
  const { store, policy } = deps;
  const state = { attempts: 0, inFlight: 0, mayWait: false };
  const recorder = createRecorder(store, deps.aborting);
  const tell = createTeller(deps);
  const finish = createFinish(deps, recorder, tell);
  const lanes = createLanes({
    ...deps,
    ...policy,
    onOpen(channel, forMs) {
      // What is cut off because we stop says nothing about the receiver.
      if (deps.aborting.aborted) return;
      tell.opened(channel, forMs);
      void leaveAlone(deps, channel, forMs);
    },
    onClose: (channel) => tell.closed(channel),
  });

  function begin(claim: Claim, lane: Lane | undefined): void {
    // Only channels that were there were asked for.
    if (!lane) return;
    lane.inFlight += 1;
    state.inFlight += 1;
    state.attempts += 1;
    void finish(claim, lane).finally(() => {
      lane.inFlight -= 1;
      state.inFlight -= 1;
      deps.onEnd();
    });
  }

  return {
    async claimAll() {
      do {
        await recorder.written();
        if (deps.isClosing()) return;
        const current = new Map(lanes.current());
        const rooms = lanes.rooms();
        const claims = rooms.length > 0 ? await store.claim(rooms, policy.leaseMs) : [];
        for (const claim of claims) begin(claim, current.get(claim.channel));
        state.mayWait = lanes.mayWait(rooms, claims);
        if (claims.length === 0) return;
      } while (state.mayWait && lanes.rooms().length > 0);
    },
    mayWait: () => state.mayWait,
    inFlight: () => state.inFlight,
    attempts: () => state.attempts,
    async nextDue() {
      const waits = [await store.nextDue(lanes.ready()), lanes.probeInMs()].flatMap((ms) => ms ?? []);
      return waits.length > 0 ? Math.min(...waits) : undefined;
    },
    async sweep() {
      // Claims wait meanwhile, so it goes on only so far.
      for (let page = 0; page < sweepPages && !deps.isClosing(); page += 1) {
        const swept = await store.sweep([...lanes.current().keys()]);
        tell.givenUp(swept.givenUp);
        if (!isFull(swept)) return;
      }
    },
    circuits: () => lanes.views(),
  };
}

/** Makes an attempt and sees to it that its outcome is written; never rejects. */
function createFinish(
  deps: CrewDeps,
  recorder: Pick<Recorder, "add">,
  tell: Pick<ReturnType<typeof createTeller>, "ended">,
) {
  const attempt = createAttempt(deps);
  return async (claim: Claim, lane: Lane): Promise<void> => {
    try {
      const ended = await attempt(claim, lane);
      await recorder.add(ended);
      tell.ended(ended);
    } catch (error) {
      deps.log.error({ err: error, delivery: claim.id }, "the outcome of an attempt was not written");
      deps.onFailure(error);
    }
  };
}

/** Says in metrics, in the log and to the outbox what was written. */
function createTeller({ log, metrics, lookIn, onOutbox }: CrewDeps) {
  const label = createBoundedLabel();
  const giveUp = (delivery: string, channel: string, reason: string) =>
    log.error({ delivery, channel, reason }, "a delivery was given up");
  return {
    opened(channel: string, forMs: number): void {
      metrics.circuitOpen.set({ channel: label(channel) }, 1);
      log.warn({ channel, forMs }, "a receiver is away and left alone for a while");
    },
    closed(channel: string): void {
      metrics.circuitOpen.set({ channel: label(channel) }, 0);
      log.info({ channel }, "a receiver is back");
    },
    ended({ claim, outcome, durationMs, event }: Ended): void {
      metrics.deliveries.inc({ channel: label(claim.channel), outcome: outcome.kind });
      metrics.attemptSeconds.observe(durationMs / 1000);
      if (outcome.kind === "again") lookIn(outcome.afterMs);
      if (outcome.kind === "failed") giveUp(claim.id, claim.channel, outcome.reason);
      if (event) onOutbox?.();
    },
    givenUp(swept: readonly GivenUp[]): void {
      for (const { id, channel, reason, untold } of swept) {
        metrics.deliveries.inc({ channel: label(channel), outcome: "failed" });
        giveUp(id, channel, reason);
        if (untold !== undefined) {
          log.error({ err: untold, delivery: id }, "a delivery cannot be told of as an event");
        }
      }
      if (swept.length > 0) onOutbox?.();
    },
  };
}

/** All that is due on a channel waits for the next probe of its receiver. */
async function leaveAlone({ store, log, lookIn }: CrewDeps, channel: string, forMs: number): Promise<void> {
  lookIn(forMs);
  await store.putOff(channel, forMs).catch((error: unknown) => {
    log.debug({ err: error, channel }, "deliveries were not put off");
  });
}
