import type { Correlation } from "../language/correlation.ts";
import type { Bucket, Member } from "./member.ts";
import { compileMembership, groupKey } from "./membership.ts";
import { type Reach, reachMs } from "./nature.ts";
import { evaluateBetween, positionsOf } from "./window.ts";

/** An event and what it matches. */
export interface Occurrence {
  /** Its identity; no two occurrences share one. */
  readonly member: string;
  /** Event time, epoch milliseconds. */
  readonly time: number;
  /** The ids of the rules it matches, also the silent ones. */
  readonly matched: readonly string[];
  readonly fields: object;
}

/** One group of a correlation: all its members, and the buckets in which it qualifies. */
export interface GroupBuckets {
  readonly correlation: Correlation;
  /** The values of `groupBy`, in its order. */
  readonly group: readonly string[];
  readonly members: readonly Member[];
  readonly buckets: readonly Bucket[];
}

/** Positions to evaluate, epoch milliseconds: from `from` up to and without `to`. */
export interface Between {
  readonly from: number;
  readonly to: number;
}

const always: Between = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

/**
 * Evaluates correlations over a set of events, given in any order. What a correlation refers to must be
 * among them; the silent ones are answered like the others. The members of a correlation of correlations
 * are the events at whose positions the referred ones qualify, with those events' own fields.
 *
 * `between` limits the answered positions of correlations that nothing else refers to.
 */
export function evaluateCorrelations(
  correlations: readonly Correlation[],
  occurrences: readonly Occurrence[],
  between: Between = always,
): readonly GroupBuckets[] {
  const matches = createMatches(occurrences);
  const referred = referredIds(correlations);
  return inDependencyOrder(correlations).flatMap((correlation) => {
    const groups = groupsOf(correlation, matches.of(correlation));
    if (referred.has(correlation.id)) {
      for (const { members } of groups) matches.add(correlation, members);
    }
    const limits = referred.has(correlation.id) ? always : between;
    return groups.map((group) => ({
      correlation,
      ...group,
      buckets: evaluateBetween(correlation, group.members, limits),
    }));
  });
}

/** A correlation with all that it refers to, directly or not; each after what it refers to. */
export function withReferred(
  correlation: Correlation,
  correlations: readonly Correlation[],
): readonly Correlation[] {
  return childrenFirst([correlation], correlations);
}

function childrenFirst(
  roots: readonly Correlation[],
  correlations: readonly Correlation[],
): readonly Correlation[] {
  const byId = new Map(correlations.map((known) => [known.id, known]));
  const found = new Set<Correlation>();
  const visit = (one: Correlation) => {
    for (const { id } of one.refersTo) {
      const child = byId.get(id);
      if (child && !found.has(child)) visit(child);
    }
    found.add(one);
  };
  for (const root of roots) visit(root);
  return [...found];
}

/** As `reachMs`, of a correlation together with what it refers to: the reaches add up. */
export function chainReachMs(correlation: Correlation, correlations: readonly Correlation[]): Reach {
  const byId = new Map<string, Reach>();
  for (const one of withReferred(correlation, correlations)) {
    const children = one.refersTo.flatMap(({ id }) => byId.get(id) ?? []);
    const { before, after } = reachMs(one);
    byId.set(one.id, {
      before: before + Math.max(0, ...children.map((child) => child.before)),
      after: after + Math.max(0, ...children.map((child) => child.after)),
    });
  }
  return byId.get(correlation.id) ?? reachMs(correlation);
}

/** Each correlation after what it refers to. */
export function inDependencyOrder(correlations: readonly Correlation[]): readonly Correlation[] {
  return childrenFirst(correlations, correlations);
}

/** The ids of the correlations that another one refers to. */
export function referredIds(correlations: readonly Correlation[]): ReadonlySet<string> {
  return new Set(
    correlations.flatMap(({ refersTo }) =>
      refersTo.flatMap(({ kind, id }) => (kind === "correlation" ? [id] : [])),
    ),
  );
}

/** Which events match what, by id; correlations join once they are evaluated. */
function createMatches(occurrences: readonly Occurrence[]) {
  const byMember = new Map<string, { occurrence: Occurrence; matched: string[] }>();
  const byId = new Map<string, Set<{ occurrence: Occurrence; matched: string[] }>>();
  const file = (id: string, entry: { occurrence: Occurrence; matched: string[] }) => {
    const entries = byId.get(id);
    if (entries) entries.add(entry);
    else byId.set(id, new Set([entry]));
  };
  for (const occurrence of occurrences) {
    const entry = { occurrence, matched: [...occurrence.matched] };
    byMember.set(occurrence.member, entry);
    for (const id of occurrence.matched) file(id, entry);
  }
  return {
    /** The events that match something the correlation refers to. */
    of: ({ refersTo }: Correlation) => new Set(refersTo.flatMap(({ id }) => [...(byId.get(id) ?? [])])),
    /** Notes at which events a correlation qualifies. */
    add(correlation: Correlation, members: readonly Member[]): void {
      const positions = new Set(positionsOf(correlation, members));
      for (const { member, time } of members) {
        const entry = positions.has(time) ? byMember.get(member) : undefined;
        if (!entry || entry.matched.includes(correlation.id)) continue;
        entry.matched.push(correlation.id);
        file(correlation.id, entry);
      }
    },
  };
}

type Matches = ReturnType<ReturnType<typeof createMatches>["of"]>;

function groupsOf(
  correlation: Correlation,
  entries: Matches,
): readonly { readonly group: readonly string[]; readonly members: readonly Member[] }[] {
  const membershipOf = compileMembership(correlation);
  const groups = new Map<string, { group: readonly string[]; members: Member[] }>();
  for (const { occurrence, matched } of entries) {
    const { member, time, fields } = occurrence;
    for (const { group, rules, values } of membershipOf(matched, fields)) {
      const key = groupKey(group);
      const known = groups.get(key);
      if (known) known.members.push({ member, time, rules, values });
      else groups.set(key, { group, members: [{ member, time, rules, values }] });
    }
  }
  return [...groups.values()];
}
