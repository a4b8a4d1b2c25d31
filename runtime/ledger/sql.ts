import { arrayLiteral } from "../postgres/pool.ts";

/** Epoch milliseconds to `timestamptz`, exact; text input would not know every year. */
export const instant = (column: string) => `timestamptz 'epoch' + ${column} * interval '1 millisecond'`;

/** `timestamptz` to epoch milliseconds. */
export const milliseconds = (column: string) => `round(extract(epoch from ${column}) * 1000)::float8`;

/** Adds to the totals, in a row of this connection's own. */
export const addToCounts = (totals: {
  readonly [Total in "accepted" | "evaluated" | "rejected"]?: string;
}) => {
  const names = Object.keys(totals).join(", ");
  const sums = Object.keys(totals).map((name) => `${name} = total.${name} + excluded.${name}`);
  return `
    insert into ledger_counts as total (slot, ${names})
    select pg_backend_pid() % 64, ${Object.values(totals).join(", ")}
    on conflict (slot) do update set ${sums.join(", ")}`;
};

/** Columns as array parameters, for `unnest`. */
export function toArrays<Row>(
  rows: readonly Row[],
  columns: readonly ((row: Row) => string | number | Buffer | null)[],
): string[] {
  return columns.map((column) => arrayLiteral(rows.map(column)));
}
