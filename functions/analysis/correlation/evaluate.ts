import type { EventIdentity } from "../../../events/identity.ts";
import { UnavailableError } from "../../../runtime/failure.ts";
import type { TimerRequest } from "../../../runtime/ledger/ledger.ts";
import type { Metrics } from "../../../runtime/metrics.ts";
import { StateLostError } from "../../../runtime/state/state.ts";
import type {
  QualifiedBucket,
  State,
  WindowAnswer,
  WindowMember,
  WindowName,
  WindowStep,
} from "../../../runtime/state/state.ts";
import type { Correlation } from "../sigma/language/correlation.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
import { type GroupOf, type Hit, judgingOf, type Verdict } from "../verdict.ts";
import type { Part } from "./plan.ts";
import type { Restore } from "./rebuild.ts";
import type { Answer, Replays } from "./replays.ts";
import { toMember, toStep, toWindowName } from "./step.ts";
import { timersOf } from "./timers.ts";

export interface EvaluateDeps {
  readonly state: Pick<State, "window" | "confirm" | "unconfirmedLate">;
  readonly restore: Restore;
  readonly replays: Replays;
  /** How far behind the newest of its group an event may come and still be evaluated in its window. */
  readonly latenessMs: number;
  readonly now: () => number;
  readonly metrics: Pick<Metrics, "eventsLate">;
}

/** An event that is in the ledger, and what the rules say about it. */
export interface Counted {
  readonly event: EventIdentity;
  /** Effective event time, epoch milliseconds. */
  readonly time: number;
  readonly ruleSet: RuleSet;
  readonly verdict: Verdict;
}

/** A group in which positions qualify because of an event. */
export interface Evaluated extends GroupOf {
  readonly window: WindowName;
  readonly qualified: readonly QualifiedBucket[];
  /** Whether the windows of the state hold its members, and whether it was evaluated from the ledger. */
  readonly source: "window" | "late" | "ledger";
}

export interface Evaluation {
  readonly evaluated: readonly Evaluated[];
  /** What can only be judged later. */
  readonly timers: readonly TimerRequest[];
  /** Correlations with so many groups that the event was not counted for a new one. */
  readonly capped: readonly Correlation[];
}

/** Answers with the buckets an event qualifies, the same whether it comes in order, late or after a loss. */
export type Evaluate = (counted: Counted) => Promise<Evaluation>;

/** What became of one correlation. */
interface Outcome {
  readonly part: Part;
  /** Whether positions qualify, told or not. */
  readonly isQualified: boolean;
  readonly evaluated: readonly Evaluated[];
  readonly isCapped?: boolean | undefined;
}

/**
 * Windows are asked first, even when the event is late: it may count for the windows of others. What refers
 * to them follows when they qualify, or when the event counts for it directly.
 */
export function createEvaluate(deps: EvaluateDeps): Evaluate {
  const { latenessMs, now } = deps;
  const askWindow = createAskWindow(deps);
  const askLedger = createAskLedger(deps);

  async function evaluateHit(counted: Counted, hit: Hit): Promise<Outcome> {
    const { part, group } = hit;
    return part.mode === "window"
      ? await askWindow(counted, hit)
      : await askLedger(counted, { part, groupKey: group.key, source: "ledger" });
  }

  return async (counted) => {
    const { hits, chains, matched } = counted.verdict;
    const firing = hits.filter(({ part }) => part.mode !== "settled");
    const outcomes = await Promise.all(firing.map((hit) => evaluateHit(counted, hit)));
    const qualified = new Set(matched.map(({ id }) => id));
    for (const { part, isQualified } of outcomes) if (isQualified) qualified.add(part.correlation.id);
    for (const part of chains) {
      const isTouched = part.correlation.refersTo.some(({ id }) => qualified.has(id));
      if (part.mode === "settled" || !isTouched) continue;
      const outcome = await askLedger(counted, { part, groupKey: "", source: "ledger" });
      if (outcome.isQualified) qualified.add(part.correlation.id);
      outcomes.push(outcome);
    }
    return {
      evaluated: outcomes.flatMap(({ evaluated }) => evaluated),
      timers: timersOf(counted, { latenessMs, now: now() }),
      capped: outcomes.flatMap(({ part, isCapped }) => (isCapped ? [part.correlation] : [])),
    };
  };
}

/** Asks the windows of the state about a hit, and the ledger when it is too late for them. */
function createAskWindow(deps: EvaluateDeps) {
  const { state, restore, latenessMs, metrics } = deps;
  const askLedger = createAskLedger(deps);

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

  return async (counted: Counted, hit: Hit): Promise<Outcome> => {
    const { part, group } = hit;
    const { correlation } = part;
    const step = toStep(hit, memberOf(counted), latenessMs);
    const { late, qualified, capped } = await offer(step, counted.ruleSet);
    if (late) {
      metrics.eventsLate.inc();
      return await askLedger(counted, { part, groupKey: group.key, source: "late" });
    }
    const isQualified = qualified.length > 0;
    const isTold = isQualified && !correlation.silent;
    // Nobody asks for the members of a silent one, and unconfirmed the state would list all of them each time.
    if (isQualified && !isTold) await state.confirm(step, qualified).catch(ignoreUnavailable);
    const evaluated = { correlation, group, window: step, qualified, source: "window" } as const;
    return { part, isQualified, evaluated: isTold ? [evaluated] : [], isCapped: capped };
  };
}

interface Asked extends Pick<Evaluated, "source"> {
  readonly part: Part;
  readonly groupKey: string;
}

/** Evaluates the positions an event can affect from the ledger. */
function createAskLedger({ state, replays }: EvaluateDeps) {
  /** What was told of a bucket is left out, but the event itself: a repeat of it must answer the same alert. */
  async function untold(
    window: WindowName,
    { buckets }: Answer,
    own: WindowMember,
  ): Promise<readonly QualifiedBucket[]> {
    const pending = await state.unconfirmedLate(window, buckets);
    const isOwn = ({ member }: WindowMember) => member === own.member;
    return pending.flatMap((bucket, index) => {
      const isEvidence = buckets[index]?.members.some(isOwn) && !bucket.members.some(isOwn);
      const members = isEvidence ? [...bucket.members, own] : bucket.members;
      return members.length > 0 ? [{ ...bucket, members }] : [];
    });
  }

  return async (counted: Counted, { part, groupKey, source }: Asked): Promise<Outcome> => {
    const { correlation, reach } = part;
    const { time, ruleSet } = counted;
    const between = { from: time - reach.after, to: time + reach.before };
    const answers = await replays({ part, groupKey, between, judge: judgingOf(ruleSet).judge });
    const told = correlation.silent ? [] : answers;
    const evaluated = await Promise.all(
      told.map(async (answer) => {
        const { group } = answer;
        const window = toWindowName(part, group);
        const qualified = await untold(window, answer, memberOf(counted));
        return { correlation, group, window, qualified, source };
      }),
    );
    const isQualified = answers.length > 0;
    return { part, isQualified, evaluated: evaluated.filter(({ qualified }) => qualified.length > 0) };
  };
}

function memberOf({ event, time }: Counted): WindowMember {
  return { member: toMember(event), time };
}

/** What only saves work may fail while the state is away. */
function ignoreUnavailable(error: unknown): void {
  if (!(error instanceof UnavailableError)) throw error;
}
