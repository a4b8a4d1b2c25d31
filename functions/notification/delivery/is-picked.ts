import type postgres from "postgres";

/**
 * Whether a row of `deliveries` is one of those that the statement's CTE `picked` names by `delivery_id` and
 * `created_at`. By arrays, because nobody can estimate how many rows a CTE has: joined to one, all months
 * would be read for a handful of deliveries. Ids are unique over all months, so both may be asked apart.
 */
export function isPicked(sql: postgres.ISql) {
  return sql`deliveries.delivery_id = any(array(select delivery_id from picked))
    and deliveries.created_at = any(array(select created_at from picked))`;
}
