import type postgres from "postgres";

import { type Selection, toSelection } from "./request.ts";
import { unprepared } from "./unprepared.ts";

/** A number of alerts; when `capped` there are more. */
export interface Count {
  readonly count: number;
  readonly capped: boolean;
}

/** How many alerts there are, as far as `cap`. */
export async function countAlerts(
  sql: postgres.ISql,
  { cap, ...selection }: Selection & { readonly cap: number },
  now: number,
): Promise<Count> {
  const [row] = await unprepared(sql<{ count: number }[]>`
    select count(*)::float8 as count
    from (select from episodes as episode where ${toSelection(sql, selection, now)} limit ${cap + 1}) as found`);
  const found = row?.count ?? 0;
  return { count: Math.min(found, cap), capped: found > cap };
}
