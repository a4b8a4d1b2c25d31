import { decide, type LifeCycle } from "../life-cycle/transitions.ts";
import type { Episode, Join } from "./episodes.ts";

/** What people did to an episode, as it takes part in joins. */
export interface Life extends LifeCycle {
  /** When it changed last, in epoch milliseconds; null when it never did. */
  readonly workedAt: number | null;
  /** Counts the changes. */
  readonly revision: number;
}

/** An episode and what people did to it. */
export interface LivedEpisode extends Episode {
  readonly life: Life;
}

/** What nobody worked on yet. */
export function newLife(status: "open" | "suppressed"): Life {
  return { status, disposition: null, assignee: null, snoozedUntil: null, workedAt: null, revision: 0 };
}

/**
 * The life of an episode that joins others: the state of the one that was worked on last, and the changes of
 * all of them. Commutative and associative, so that it is the same in whatever order episodes join; episodes
 * worked on in the same millisecond are decided by what their states say, the one with most left to do first.
 */
export function joinLives(a: Life, b: Life): Life {
  const chosen = compareStates(a, b) >= 0 ? a : b;
  return { ...chosen, revision: a.revision + b.revision };
}

function compareStates(a: Life, b: Life): number {
  const [left, right] = [a, b].map(({ workedAt }) => workedAt ?? -Infinity);
  if (left !== right) return (left ?? 0) < (right ?? 0) ? -1 : 1;
  return leftToDo.indexOf(a.status) - leftToDo.indexOf(b.status) || compareTexts(textOf(a), textOf(b));
}

const leftToDo: readonly Life["status"][] = ["suppressed", "resolved", "acknowledged", "in_progress", "open"];

function textOf({ disposition, assignee, snoozedUntil }: Life): string {
  return JSON.stringify([disposition, assignee, snoozedUntil]);
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** What becomes of the life of a joined episode. */
export interface Onward {
  readonly life: Life;
  /** The life it had until now, when what came means that a resolved episode is not over. */
  readonly reopened?: Life | undefined;
}

export interface Coming {
  /** The episodes it was before, each of them in `join.absorbed`. */
  readonly absorbed: readonly LivedEpisode[];
  /** Times of the evidence that was stored for the first time and lies in the episode, in epoch milliseconds. */
  readonly added: readonly number[];
  /** The database's clock, in epoch milliseconds. */
  readonly now: number;
}

/**
 * Carries a life over a join. A resolved episode is opened again by evidence of a time after it was resolved:
 * by what is new, or by an unresolved episode that reaches beyond it. Evidence of the time before, and what
 * was known already, only counts.
 */
export function liveOn({ episode }: Join, { absorbed, added, now }: Coming): Onward | undefined {
  if (absorbed.length === 0) return undefined;
  const life = absorbed.map((known) => known.life).reduce(joinLives);
  const resolvedAt = life.workedAt ?? -Infinity;
  const known = absorbed.filter(({ life: { status } }) => status === "resolved");
  const knownUntil = known.reduce((until, { lastSeen }) => Math.max(until, lastSeen), resolvedAt);
  const isLater =
    added.some((time) => time > resolvedAt) ||
    episode.lastSeen > knownUntil ||
    absorbed.some(({ life: other, lastSeen }) => other.status !== "resolved" && lastSeen > resolvedAt);
  if (life.status !== "resolved" || !isLater) return { life };
  const decision = decide(life, { action: "reopen" });
  if (decision.kind !== "changed") return { life };
  return {
    life: { ...decision.after, workedAt: Math.max(now, resolvedAt), revision: life.revision + 1 },
    reopened: life,
  };
}
