import type postgres from "postgres";

import { eventKey } from "../../../events/identity.ts";
import { instant, milliseconds } from "../../../runtime/ledger/sql.ts";
import type { Emission } from "../alert.ts";
import { rowsFrom, toParameters } from "./rows.ts";

/** When something happened that stands behind alerts of a group; epoch milliseconds. */
export interface EvidenceTime {
  readonly groupId: string;
  readonly time: number;
}

const types = { group_id: "uuid", event_key: "bytea", source: "text", id: "text", time: "bigint" } as const;

const text = `
insert into alert_evidence (group_id, event_key, source, id, time)
select group_id, event_key, source, id, ${instant("time")}
from ${rowsFrom(types, "point")}
where not exists (
  select from alert_evidence as known
  where known.group_id = point.group_id and known.event_key = point.event_key)
returning group_id as "groupId", ${milliseconds("time")} as time`;

/**
 * Stores the events behind alerts, each once per group, and answers those that are new. The caller holds
 * the groups' locks.
 */
export async function insertEvidence(
  sql: postgres.TransactionSql,
  emissions: readonly Emission[],
): Promise<readonly EvidenceTime[]> {
  const points = new Map<string, Record<keyof typeof types, string | number>>();
  for (const { groupId, evidence } of emissions) {
    for (const { source, id, time } of evidence) {
      const key = `\\x${eventKey({ source, id }).toString("hex")}`;
      const name = groupId + key;
      if (!points.has(name)) points.set(name, { group_id: groupId, event_key: key, source, id, time });
    }
  }
  if (points.size === 0) return [];
  const parameters = toParameters(types, [...points.values()]);
  return await sql.unsafe<EvidenceTime[]>(text, parameters, { prepare: true });
}
