import type postgres from "postgres";

import type { Order } from "./ast.ts";

export type Fragment = postgres.Fragment;

/** The conditions with a word between them; nothing but `true` or `false` of none. */
export function joined(sql: postgres.ISql, conditions: readonly Fragment[], by: "and" | "or"): Fragment {
  const [first, ...rest] = conditions;
  if (!first) return by === "and" ? sql`true` : sql`false`;
  if (rest.length === 0) return first;
  const all = rest.reduce((a, b) => (by === "and" ? sql`${a} and ${b}` : sql`${a} or ${b}`), first);
  return sql`(${all})`;
}

/** Parameters with commas between them. */
export function listed(sql: postgres.ISql, values: readonly string[]): Fragment {
  const [first = "", ...rest] = values;
  return rest.reduce((list, value) => sql`${list}, ${value}`, sql`${first}`);
}

/** `left order value`; the value is taken for a number of any size. */
export function comparison(
  sql: postgres.ISql,
  left: Fragment,
  { order, value }: { readonly order: Order; readonly value: number },
): Fragment {
  return ordered(sql, { left, order, right: sql`${String(value)}::text::numeric` });
}

interface Comparison {
  readonly left: Fragment;
  readonly order: Order;
  readonly right: Fragment;
}

export function ordered(sql: postgres.ISql, { left, order, right }: Comparison): Fragment {
  switch (order) {
    case ">":
      return sql`${left} > ${right}`;
    case ">=":
      return sql`${left} >= ${right}`;
    case "<":
      return sql`${left} < ${right}`;
    case "<=":
      return sql`${left} <= ${right}`;
    default:
      return order satisfies never;
  }
}

/** Epoch milliseconds as `timestamptz`, also for years its text input does not know. */
export function instant(sql: postgres.ISql, ms: number): Fragment {
  return sql`(timestamptz 'epoch' + ${ms}::float8 * interval '1 millisecond')`;
}
