import type postgres from "postgres";

import { alertUpdated } from "../../../events/contracts/alert-updated.ts";
import { createEvent } from "../../../events/envelope.ts";
import { encodeStructured } from "../../../events/http.ts";
import { deriveUuid } from "../../../events/identity.ts";
import { toInstant } from "../../../events/time.ts";
import type { AlertChange } from "../alert-view.ts";
import { toStoredJson } from "../store/stored-text.ts";
import type { ActionName, Actor } from "./action.ts";
import type { LifeCyclePart } from "./transitions.ts";

/** One change of one alert's life cycle, as it goes into history. */
export interface NewChange {
  readonly alertId: string;
  /** The alert's revision after it. */
  readonly revision: number;
  readonly action: ActionName;
  /** Epoch milliseconds. */
  readonly changedAt: number;
  readonly by: Actor;
  readonly reason: string | null;
  readonly before: LifeCyclePart;
  readonly after: LifeCyclePart;
}

/** On which readers listen for changes of alerts. */
export const alertsChannel = "auditflow_alerts";

/**
 * Writes changes into history, their `alert.updated` events into the outbox, and wakes whoever listens, in
 * one statement of the given transaction. The caller has written the episodes and holds the locks of their
 * groups. Throws InvalidEventError for what the contract does not allow.
 */
export async function writeChanges(
  sql: postgres.TransactionSql,
  changes: readonly NewChange[],
): Promise<readonly AlertChange[]> {
  if (changes.length === 0) return [];
  const views = changes.map(toView);
  await sql`
    with changes as (
      select * from jsonb_to_recordset(${toStoredJson(views)}::text::jsonb) as change (
        change_id uuid, alert_id uuid, revision bigint, action text, changed_at timestamptz, changed_by jsonb,
        reason text, before jsonb, after jsonb)
    ), told as (
      insert into alert_changes (change_id, alert_id, revision, action, changed_at, actor_type, actor_id,
        reason, before, after)
      select change_id, alert_id, revision, action, changed_at, changed_by ->> 'type', changed_by ->> 'id',
        reason, before, after
      from changes
    ), sent as (
      insert into outbox (event)
      select event from jsonb_array_elements(${toStoredJson(changes.map(toEvent))}::text::jsonb) as event
    )
    select pg_notify(${alertsChannel}, '')`;
  return views;
}

function toView({ alertId, changedAt, by, ...change }: NewChange): AlertChange {
  return {
    change_id: deriveUuid("alert-change", alertId, String(change.revision)),
    alert_id: alertId,
    revision: change.revision,
    action: change.action,
    changed_at: toInstant(changedAt),
    changed_by: by,
    reason: change.reason,
    before: change.before,
    after: change.after,
  };
}

/** The structured CloudEvent of a change. Its id names the state the alert is in after it. */
function toEvent(change: NewChange): unknown {
  const { change_id: _, ...data } = toView(change);
  const event = createEvent(alertUpdated, {
    id: `${data.alert_id}/${data.revision}`,
    source: "/auditflow/notification",
    subject: data.alert_id,
    time: data.changed_at,
    extensions: { partitionkey: data.alert_id },
    data: { ...data, action: change.action },
  });
  return JSON.parse(encodeStructured(event).body.toString());
}
