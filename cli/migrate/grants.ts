import type { Postgres } from "../../runtime/postgres/postgres.ts";

const append = ["select", "insert"] as const;
const change = ["select", "insert", "update"] as const;
const all = ["select", "insert", "update", "delete"] as const;

/**
 * What the functions' role may do with each table, and no more: it creates, alters and drops nothing, and
 * history is only added to. Partitions are reached through their parents.
 */
const tables: Readonly<Record<string, readonly string[]>> = {
  events: append,
  event_keys: change,
  detections: change,
  ledger_counts: change,
  timers: all,
  api_keys: ["select", "update (last_used_at, revoked_at)"],
  alerts: change,
  alert_evidence: append,
  episodes: change,
  alert_changes: append,
  deliveries: change,
  delivery_attempts: append,
  dead_letters: change,
  outbox: all,
  silences: all,
  idempotency_keys: all,
  notification_groups: all,
  notification_group_members: all,
};

/** What runs with the rights of whoever migrated, and is nobody else's to call. */
const functions = [
  "ledger_expired(integer)",
  "ledger_forget(integer, text, text, bytea, integer)",
  "ledger_drop(integer, text)",
  "notification_expired(integer)",
  "notification_expire(integer, text, integer)",
];

/**
 * Gives a role exactly the rights that the functions need, in one transaction; whatever else it had on the
 * tables is taken away. All migrations must have been applied. Answers the tables. Throws PostgresError, for
 * instance 42704 when there is no such role.
 */
export async function grantTo(postgres: Postgres, role: string): Promise<readonly string[]> {
  const grantee = `"${role.replaceAll('"', '""')}"`;
  await postgres.transaction(async (sql) => {
    const [row] = await sql<{ schema: string }[]>`select quote_ident(current_schema()) as schema`;
    const schema = row?.schema ?? "public";
    await sql.unsafe(`revoke all on all tables in schema ${schema} from ${grantee}`);
    await sql.unsafe(`revoke create on schema ${schema} from ${grantee}`);
    await sql.unsafe(`grant usage on schema ${schema} to ${grantee}`);
    for (const [table, privileges] of Object.entries(tables)) {
      await sql.unsafe(`grant ${privileges.join(", ")} on ${schema}.${table} to ${grantee}`);
    }
    for (const name of functions) {
      await sql.unsafe(`grant execute on function ${schema}.${name} to ${grantee}`);
    }
  });
  return Object.keys(tables);
}
