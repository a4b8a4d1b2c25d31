import { auditRecorded } from "../../../events/contracts/audit-recorded.ts";
import type { Event } from "../../../events/event.ts";
import { UnavailableError } from "../../../runtime/failure.ts";
import type { Sink } from "../../../runtime/function.ts";
import type { DueTimer, Ledger } from "../../../runtime/ledger/ledger.ts";
import type { Log } from "../../../runtime/log.ts";
import { createBoundedLabel } from "../../../runtime/metrics.ts";
import type { Metrics } from "../../../runtime/metrics.ts";
import type { Cause } from "../alert-fields.ts";
import { settledAlerts } from "../alerts.ts";
import { fieldsOf } from "../fields.ts";
import { shownRuleId } from "../rules/content.ts";
import type { Bucket } from "../sigma/correlating/member.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
import { type Judging, judgingOf } from "../verdict.ts";
import type { Part } from "./plan.ts";
import type { Replays } from "./replays.ts";
import { toMember } from "./step.ts";

export interface SettlementDeps {
  readonly rules: () => RuleSet;
  readonly ledger: Pick<Ledger, "dueTimers" | "settle" | "replay">;
  readonly replays: Replays;
  readonly sink: Sink;
  /** Timers per page; those of one page share replays of the ledger. */
  readonly limit: number;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "timersSettled" | "alertsRaised">;
}

/** Judges what is due; answers how many timers were settled. */
export type Settle = () => Promise<number>;

/** A run ends after so many pages, to stay within the deadline of whatever called it. */
const maxPages = 20;

/** Longer than a page takes; a timer whose worker died is claimed by another one after it. */
const leaseMs = 5 * 60_000;

/** During a roll-out others may know a correlation that this process does not know yet, or any more. */
const unknownForMs = 60 * 60_000;

/**
 * Judges the correlations whose buckets wait for their time to pass. Timers are in the ledger, so nothing has
 * to be awake meanwhile; every bucket is evaluated from the ledger, so it does not matter who does it, or how
 * often. What is raised is recorded in the transaction that removes the timer and emitted after it: what the
 * sink does not take is emitted again by the reconciler. Rejects when a dependency is away, after everything
 * else of the page was done.
 */
export function createSettlement(deps: SettlementDeps): Settle {
  const { rules, ledger, limit } = deps;
  const settle = createSettle(deps);
  return async () => {
    const ruleSet = rules();
    let settled = 0;
    // Without rules every correlation would look as if it were gone.
    for (let page = 0; page < maxPages && ruleSet.size > 0; page++) {
      const timers = await ledger.dueTimers({ limit, leaseMs });
      // All at once, so that their replays are shared.
      const results = await Promise.allSettled(timers.map((timer) => settle(ruleSet, timer)));
      settled += results.filter((result) => result.status === "fulfilled" && result.value).length;
      const failed = results.find((result) => result.status === "rejected");
      if (failed) throw failed.reason;
      if (timers.length < limit) break;
    }
    return settled;
  };
}

function createSettle(deps: SettlementDeps) {
  const { ledger, sink, metrics } = deps;
  const evaluate = createEvaluation(deps);
  const drop = createDrop(deps);
  const label = createBoundedLabel();

  return async (ruleSet: RuleSet, timer: DueTimer): Promise<boolean> => {
    const judging = judgingOf(ruleSet);
    const part = judging.bySeries.get(timer.series);
    if (part?.mode !== "settled") return await drop(timer);
    const detections = await evaluate({ timer, part, judging, ruleSet });
    const raised = await ledger.settle({ timer, detections });
    metrics.timersSettled.inc({ outcome: raised ? "settled" : "armed again" });
    if (!raised) return false;
    metrics.alertsRaised.inc({ rule: label(shownRuleId(part.correlation)) }, raised.length);
    if (raised.length > 0) await sink(raised);
    return true;
  };
}

interface Due {
  readonly timer: DueTimer;
  readonly part: Part;
  readonly judging: Judging;
  readonly ruleSet: RuleSet;
}

/** What the bucket of a timer raises, by the ledger as it is now. */
function createEvaluation({ ledger, replays }: SettlementDeps) {
  return async ({ timer, part, judging, ruleSet }: Due): Promise<readonly Event[]> => {
    const { correlation } = part;
    const { timespanMs } = correlation;
    const from = timer.bucket * timespanMs;
    const between = { from, to: from + timespanMs };
    const answers = await replays({ part, groupKey: timer.group, between, judge: judging.judge });
    const alerts: Event[] = [];
    for (const { group, buckets } of answers) {
      for (const bucket of buckets) {
        const cause = await causeOf(ledger, bucket, ruleSet);
        alerts.push(...settledAlerts({ correlation, group }, bucket, cause));
      }
    }
    return alerts;
  };
}

/** The event an alert is told with: the first one at the first position that qualifies. */
async function causeOf(
  ledger: Pick<Ledger, "replay">,
  { crossedAt, members }: Bucket,
  { hash }: RuleSet,
): Promise<Cause> {
  const first = members.find(({ time }) => time === crossedAt)?.member;
  const range = { from: crossedAt, to: crossedAt + 1, types: [auditRecorded.type] };
  for await (const { event, time } of ledger.replay(range)) {
    if (toMember(event) !== first) continue;
    const data = auditRecorded.data.parse(event.data);
    return { event: { ...event, data }, time, fields: fieldsOf(data), ruleSet: hash };
  }
  throw new UnavailableError("postgres", "An event that was just read is not in the ledger any more.");
}

/** Removes the timer of a correlation that is not in force, once nobody else can know better. */
function createDrop({ ledger, log, metrics }: SettlementDeps) {
  return async (timer: DueTimer): Promise<boolean> => {
    if (timer.overdueMs < unknownForMs) return false;
    await ledger.settle({ timer, detections: [] });
    metrics.timersSettled.inc({ outcome: "dropped" });
    const { series, bucket, overdueMs } = timer;
    log.warn({ series, bucket, overdueMs }, "A timer was dropped: its correlation is not in force any more.");
    return true;
  };
}
