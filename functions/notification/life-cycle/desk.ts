import { isUuid } from "../../../events/uuid.ts";
import type { AlertChange, AlertSummary, Status } from "../alert-view.ts";
import { type ActionName, type Change, checkChange } from "./action.ts";
import { apply, judge } from "./apply-change.ts";
import { type BulkOptions, type BulkResult, createBulk, type DeskDeps, type Selection } from "./bulk.ts";
import type { EpisodeRow } from "./episode-row.ts";
import { findEpisodes, findGroups, findLastChanges } from "./find-episodes.ts";
import { etagOf, toSummary } from "../store/list/summary.ts";
import { lockGroups } from "../store/locks.ts";

export type ChangeResult =
  | {
      readonly kind: "changed" | "unchanged";
      readonly alert: AlertSummary;
      readonly etag: string;
      readonly change?: AlertChange;
    }
  | { readonly kind: "not-found" }
  /** The alert is at another revision than the asked one; `last` is the change that brought it there. */
  | { readonly kind: "stale"; readonly revision: number; readonly etag: string; readonly last?: AlertChange }
  | {
      readonly kind: "refused";
      readonly status: Status;
      readonly action: ActionName;
      readonly allowed: readonly ActionName[];
    };

/** Where people work on alerts. Every call throws UnavailableError while PostgreSQL is away. */
export interface Desk {
  /**
   * Changes the alert the id belongs to by now. Throws ChangeError for what no alert could take. With
   * `ifRevision` the change is made only at that revision.
   */
  change(alertId: string, change: Change, options?: { readonly ifRevision?: number }): Promise<ChangeResult>;
  /**
   * Changes many alerts, in batches of 500 that are each a transaction. One that was cut off can be made
   * again: what has changed already is left as it is.
   */
  changeMany(which: Selection, change: Change, options: BulkOptions): Promise<BulkResult>;
}

/**
 * The desk on PostgreSQL. A change takes the lock of the alert's group before it reads, as those who merge
 * alerts do, so that neither can overwrite the other.
 */
export function createDesk({ postgres, now, onOutbox }: DeskDeps): Desk {
  const bulk = createBulk({ postgres, now, onOutbox });

  return {
    async change(alertId, change, { ifRevision } = {}) {
      if (!isUuid(alertId)) return { kind: "not-found" };
      const checked = checkChange(change, now());
      const result = await postgres.transaction(async (sql): Promise<ChangeResult> => {
        const groups = await findGroups(sql, [alertId]);
        if (groups.length === 0) return { kind: "not-found" };
        await lockGroups(sql, groups);
        const [episode] = await findEpisodes(sql, [alertId]);
        if (!episode) return { kind: "not-found" };
        if (ifRevision !== undefined && ifRevision !== episode.revision) {
          const { alert_id } = episode;
          return stale(episode, (await findLastChanges(sql, [alert_id])).get(alert_id));
        }
        const judged = await judge(sql, [episode], checked);
        const [applied] = await apply(sql, judged, checked);
        if (applied) return told("changed", applied.episode, applied.change);
        const decision = judged[0]?.decision;
        if (decision?.kind !== "refused") return told("unchanged", episode);
        const { status } = episode;
        return { kind: "refused", status, action: checked.action.action, allowed: decision.allowed };
      });
      if (result.kind === "changed") onOutbox();
      return result;
    },
    changeMany: async (which, change, options) => bulk(which, checkChange(change, now()), options),
  };
}

function told(kind: "changed" | "unchanged", episode: EpisodeRow, change?: AlertChange): ChangeResult {
  const result = { kind, alert: toSummary(episode), etag: etagOf(episode) };
  return change ? { ...result, change } : result;
}

function stale(episode: EpisodeRow, last: AlertChange | undefined): ChangeResult {
  const result = { kind: "stale", revision: episode.revision, etag: etagOf(episode) } as const;
  return last ? { ...result, last } : result;
}
