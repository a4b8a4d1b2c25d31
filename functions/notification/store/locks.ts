import type postgres from "postgres";

import { arrayLiteral } from "../../../runtime/postgres/array.ts";

/**
 * Takes the locks of groups of alerts, held until the transaction ends. Everything that reads and then writes
 * alerts, evidence, episodes or their life cycles holds them first: whoever does sees all that was committed
 * about a group (READ COMMITTED) and is the only one to change it. A hash that two groups share only makes
 * them wait for each other.
 */
export async function lockGroups(sql: postgres.TransactionSql, groupIds: readonly string[]): Promise<void> {
  await lockUuids(sql, groupIds);
}

/**
 * The same for any UUIDs. All locks a transaction needs are taken in one call, in one order everywhere, so
 * that transactions cannot deadlock.
 */
export async function lockUuids(sql: postgres.TransactionSql, uuids: readonly string[]): Promise<void> {
  if (uuids.length === 0) return;
  const keys = [...new Set(uuids.map(keyOf))].toSorted((a, b) => (a < b ? -1 : 1));
  await sql.unsafe(lockText, [arrayLiteral(keys.map(String))], { prepare: true });
}

/** `unnest` keeps the order of its array. */
const lockText = "select count(pg_advisory_xact_lock(key)) from unnest($1::bigint[]) as key";

function keyOf(uuid: string): bigint {
  return BigInt.asIntN(64, BigInt(`0x${uuid.replaceAll("-", "").slice(0, 16)}`));
}
