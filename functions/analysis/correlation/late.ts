import { auditRecorded } from "../../../events/contracts/audit-recorded.ts";
import type { Ledger } from "../../../runtime/ledger/ledger.ts";
import type { QualifiedBucket, WindowMember } from "../../../runtime/state/state.ts";
import type { Hit, Judge } from "../verdict.ts";
import { seriesOf, spanOf, toMember } from "./step.ts";
import { evaluateAround } from "./window.ts";

/** An event whose windows the state may have forgotten. */
export interface LateEvent {
  readonly hit: Hit;
  readonly judge: Judge;
  /** Effective event time, epoch milliseconds. */
  readonly time: number;
}

/** Evaluates a late event from the ledger; the answer carries every member of the windows it affects. */
export type LateEvaluation = (event: LateEvent) => Promise<readonly QualifiedBucket[]>;

interface Waiter extends LateEvent {
  readonly members: WindowMember[];
  readonly settle: PromiseWithResolvers<readonly QualifiedBucket[]>;
}

/**
 * Evaluates late events by replaying the ledger around them. The event must be in the ledger before.
 *
 * After an outage a whole backlog is late, so replays are shared: events that arrive while one runs wait
 * for the next, which covers all of them. It must be the next one, because a running replay may have
 * passed the place of an event that was accepted after it began.
 */
export function createLateEvaluation({
  ledger,
}: {
  readonly ledger: Pick<Ledger, "replay">;
}): LateEvaluation {
  let waiting: Waiter[] = [];
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      for (const cluster of clusterOf(batch)) await evaluateCluster(ledger, cluster);
    }
    isRunning = false;
  }

  return (event) => {
    const settle = Promise.withResolvers<readonly QualifiedBucket[]>();
    waiting.push({ ...event, members: [], settle });
    if (!isRunning) void run();
    return settle.promise;
  };
}

/** Times a late event's windows can reach: those less than a timespan before and after it. */
function reachOf({ hit, time }: LateEvent): { readonly from: number; readonly to: number } {
  const { timespanMs } = hit.correlation;
  return { from: time - timespanMs + 1, to: time + timespanMs };
}

/** Groups events whose reaches overlap, so that each part of the ledger is read once. */
function clusterOf(batch: readonly Waiter[]): readonly (readonly Waiter[])[] {
  const clusters: Waiter[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const waiter of batch.toSorted((a, b) => reachOf(a).from - reachOf(b).from)) {
    const { from, to } = reachOf(waiter);
    if (from < end) clusters.at(-1)?.push(waiter);
    else clusters.push([waiter]);
    end = Math.max(end, to);
  }
  return clusters;
}

async function evaluateCluster(ledger: Pick<Ledger, "replay">, cluster: readonly Waiter[]): Promise<void> {
  try {
    const reaches = cluster.map(reachOf);
    const from = Math.min(...reaches.map((reach) => reach.from));
    const to = Math.max(...reaches.map((reach) => reach.to));
    const judges = new Set(cluster.map(({ judge }) => judge));
    const byGroup = Map.groupBy(cluster, ({ hit }) => keyOf(hit));
    for await (const { event, time } of ledger.replay({ from, to, types: [auditRecorded.type] })) {
      const parsed = auditRecorded.data.safeParse(event.data);
      if (!parsed.success) continue;
      const member = { member: toMember(event), time };
      const hits = [...judges].flatMap((judge) => judge(parsed.data)?.hits ?? []);
      for (const key of new Set(hits.map(keyOf))) {
        for (const waiter of byGroup.get(key) ?? []) collect(waiter, member);
      }
    }
    for (const { settle, members, hit, time } of cluster) {
      settle.resolve(evaluateAround(members, spanOf(hit.correlation), time));
    }
  } catch (error) {
    for (const { settle } of cluster) settle.reject(error);
  }
}

function collect(waiter: Waiter, member: WindowMember): void {
  const { from, to } = reachOf(waiter);
  if (member.time >= from && member.time < to) waiter.members.push(member);
}

function keyOf({ correlation, group }: Hit): string {
  return `${seriesOf(correlation)}/${group.key}`;
}
