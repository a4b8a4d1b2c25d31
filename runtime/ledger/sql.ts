import { arrayLiteral } from "../postgres/array.ts";

/** Epoch milliseconds to `timestamptz`, exact; text input would not know every year. */
export const instant = (column: string) => `timestamptz 'epoch' + ${column} * interval '1 millisecond'`;

/** `timestamptz` to epoch milliseconds. */
export const milliseconds = (column: string) => `round(extract(epoch from ${column}) * 1000)::float8`;

type Totals = { readonly [Total in "accepted" | "evaluated" | "rejected"]?: string };

/** Adds aggregates over the rows of `from` to the totals, in a row of this connection's own. */
export const addToCounts = (from: string, totals: Totals) => {
  const names = Object.keys(totals);
  return `
    insert into ledger_counts as total (slot, ${names.join(", ")})
    select pg_backend_pid() % 64, ${Object.values(totals).join(", ")} from ${from} having count(*) > 0
    on conflict (slot) do update
    set ${names.map((name) => `${name} = total.${name} + excluded.${name}`).join(", ")}`;
};

/** Columns as array parameters, for `unnest`. */
export function toArrays<Row>(
  rows: readonly Row[],
  columns: readonly ((row: Row) => string | number | Buffer | null)[],
): string[] {
  return columns.map((column) => arrayLiteral(rows.map(column)));
}
