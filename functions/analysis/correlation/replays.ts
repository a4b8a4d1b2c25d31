import { type AuditRecorded, auditRecorded } from "../../../events/contracts/audit-recorded.ts";
import type { Ledger, LedgerEntry } from "../../../runtime/ledger/ledger.ts";
import { type Between, evaluateCorrelations, type Occurrence } from "../sigma/correlating/chain.ts";
import type { Bucket, Member } from "../sigma/correlating/member.ts";
import { evaluateBetween } from "../sigma/correlating/window.ts";
import type { Judge, Verdict } from "../verdict.ts";
import { type Group, toGroup } from "./group-key.ts";
import type { Part } from "./plan.ts";
import { toMember } from "./step.ts";

/** Which positions of a correlation are to be evaluated from the ledger. */
export interface Question {
  readonly part: Part;
  /** Of which group; a correlation of correlations is evaluated with all its groups. */
  readonly groupKey: string;
  readonly between: Between;
  readonly judge: Judge;
}

/** A group in which positions qualify, with every member of their windows. */
export interface Answer {
  readonly group: Group;
  readonly buckets: readonly Bucket[];
}

/** Answers from the ledger. An event that a question is about must be in the ledger before. */
export type Replays = (question: Question) => Promise<readonly Answer[]>;

interface Waiter extends Question {
  readonly range: Between;
  readonly collected: Collected;
  readonly settle: PromiseWithResolvers<readonly Answer[]>;
}

/**
 * Evaluates windows by replaying the ledger around them.
 *
 * After an outage a whole backlog is late, so replays are shared: questions that come while one runs wait
 * for the next, which covers all of them. It must be the next one, because a running replay may have
 * passed the place of an event that was accepted after it began.
 */
export function createReplays({ ledger }: { readonly ledger: Pick<Ledger, "replay"> }): Replays {
  let waiting: Waiter[] = [];
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      for (const cluster of clusterOf(batch)) await answerCluster(ledger, cluster);
    }
    isRunning = false;
  }

  return (question) => {
    const settle = Promise.withResolvers<readonly Answer[]>();
    const collected = question.part.isChain ? collectChain(question) : collectGroup(question);
    waiting.push({ ...question, range: rangeOf(question), collected, settle });
    if (!isRunning) void run();
    return settle.promise;
  };
}

/** The times that the windows of the positions reach. */
function rangeOf({ part, between }: Question): Between {
  return { from: between.from - part.reach.before + 1, to: between.to + part.reach.after };
}

/** Groups questions whose ranges overlap, so that each part of the ledger is read once. */
function clusterOf(batch: readonly Waiter[]): readonly (readonly Waiter[])[] {
  const clusters: Waiter[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const waiter of batch.toSorted((a, b) => a.range.from - b.range.from)) {
    if (waiter.range.from < end) clusters.at(-1)?.push(waiter);
    else clusters.push([waiter]);
    end = Math.max(end, waiter.range.to);
  }
  return clusters;
}

async function answerCluster(ledger: Pick<Ledger, "replay">, cluster: readonly Waiter[]): Promise<void> {
  try {
    const from = Math.min(...cluster.map(({ range }) => range.from));
    const to = Math.max(...cluster.map(({ range }) => range.to));
    const judges = Map.groupBy(cluster, ({ judge }) => judge);
    const indexed = new Map([...judges].map(([judge, waiters]) => [judge, indexOf(waiters)]));
    for await (const entry of ledger.replay({ from, to, types: [auditRecorded.type] })) {
      const parsed = auditRecorded.data.safeParse(entry.event.data);
      if (parsed.success) offer(entry, parsed.data, indexed);
    }
    for (const { settle, collected } of cluster) settle.resolve(collected.answer());
  } catch (error) {
    for (const { settle } of cluster) settle.reject(error);
  }
}

/** Waiters by what concerns them: the key of a group, or the series of a correlation of correlations. */
type Index = ReadonlyMap<string, readonly Waiter[]>;

function indexOf(waiters: readonly Waiter[]): Index {
  return Map.groupBy(waiters, ({ part, groupKey }) =>
    part.isChain ? part.series : `${part.series}/${groupKey}`,
  );
}

function offer({ event, time }: LedgerEntry, data: AuditRecorded, indexed: ReadonlyMap<Judge, Index>): void {
  const place = { member: toMember(event), time };
  for (const [judge, index] of indexed) {
    const verdict = judge({ source: event.source, data });
    const keys = [
      ...(verdict?.hits ?? []).map(({ part, group }) => `${part.series}/${group.key}`),
      ...(verdict?.chains ?? []).map(({ series }) => series),
    ];
    for (const waiter of keys.flatMap((key) => index.get(key) ?? [])) {
      const { range, collected } = waiter;
      if (verdict && time >= range.from && time < range.to) collected.take(place, verdict);
    }
  }
}

/** What a question is answered from. */
interface Collected {
  /** Takes an event that concerns the question. */
  take(place: Pick<Member, "member" | "time">, verdict: Verdict): void;
  answer(): readonly Answer[];
}

function collectGroup({ part, groupKey, between }: Question): Collected {
  const members: Member[] = [];
  let group: Group | undefined;
  return {
    take(place, { hits }) {
      const hit = hits.find((one) => one.part.series === part.series && one.group.key === groupKey);
      if (!hit) return;
      group ??= hit.group;
      members.push({ ...place, rules: hit.rules, values: hit.values });
    },
    answer() {
      const buckets = evaluateBetween(part.correlation, members, between);
      return group && buckets.length > 0 ? [{ group, buckets }] : [];
    },
  };
}

function collectChain({ part, between }: Question): Collected {
  const occurrences: Occurrence[] = [];
  const { correlation } = part;
  return {
    take(place, { matched, fields }) {
      occurrences.push({ ...place, matched: matched.map(({ id }) => id), fields });
    },
    answer() {
      const all = evaluateCorrelations(part.members, occurrences, between);
      const own = all.filter((one) => one.correlation === correlation && one.buckets.length > 0);
      return own.map(({ group, buckets }) => ({ group: toGroup(correlation.groupBy, group), buckets }));
    },
  };
}
