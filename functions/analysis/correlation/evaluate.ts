import type { EventIdentity } from "../../../events/identity.ts";
import { UnavailableError } from "../../../runtime/failure.ts";
import type { Metrics } from "../../../runtime/metrics.ts";
import { StateLostError } from "../../../runtime/state/state.ts";
import type { QualifiedBucket, State, WindowAnswer, WindowStep } from "../../../runtime/state/state.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
import type { LateEvaluation, LateEvent } from "./late.ts";
import type { Restore } from "./rebuild.ts";
import { toMember, toStep } from "./step.ts";

export interface EvaluateDeps {
  readonly state: Pick<State, "window" | "unconfirmedLate">;
  readonly restore: Restore;
  readonly evaluateLate: LateEvaluation;
  /** How far behind the newest of its group an event may come and still be evaluated in its window. */
  readonly latenessMs: number;
  readonly metrics: Pick<Metrics, "eventsLate">;
}

/** An event that is in the ledger, and the group it counts for. */
interface Counted extends LateEvent {
  readonly event: EventIdentity;
  readonly ruleSet: RuleSet;
}

interface Evaluated {
  readonly step: WindowStep;
  readonly qualified: readonly QualifiedBucket[];
  /** Whether it was evaluated from the ledger. */
  readonly late: boolean;
}

/** Answers with the buckets an event qualifies, the same whether it comes in order, late or after a loss. */
export type Evaluate = (counted: Counted) => Promise<Evaluated>;

/** The window is asked first, even when the event is late: it may count for the windows of others. */
export function createEvaluate({
  state,
  restore,
  evaluateLate,
  latenessMs,
  metrics,
}: EvaluateDeps): Evaluate {
  async function offer(step: WindowStep, ruleSet: RuleSet): Promise<WindowAnswer> {
    try {
      return await state.window(step);
    } catch (error) {
      if (!(error instanceof StateLostError)) throw error;
    }
    try {
      await restore(ruleSet);
      return await state.window(step);
    } catch (error) {
      if (!(error instanceof StateLostError)) throw error;
      throw new UnavailableError("redis", `The windows were lost once more: ${error.message}`, {
        cause: error,
      });
    }
  }

  /** What was told of a bucket is left out, but the event itself: a repeat of it must answer the same alert. */
  async function untold(
    step: WindowStep,
    buckets: readonly QualifiedBucket[],
  ): Promise<readonly QualifiedBucket[]> {
    const pending = await state.unconfirmedLate(step, buckets);
    const { member, time } = step;
    return pending.map((bucket) => {
      if (bucket.members.some((known) => known.member === member)) return bucket;
      return { ...bucket, members: [...bucket.members, { member, time }] };
    });
  }

  return async ({ event, ruleSet, ...lateEvent }) => {
    const step = toStep(lateEvent.hit, { member: toMember(event), time: lateEvent.time }, latenessMs);
    const { late, qualified } = await offer(step, ruleSet);
    if (!late) return { step, late, qualified };
    metrics.eventsLate.inc();
    return { step, late, qualified: await untold(step, await evaluateLate(lateEvent)) };
  };
}
