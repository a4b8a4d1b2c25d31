import { Option } from "commander";

import { type Output, table } from "./output.ts";

export const formats = ["table", "json", "ndjson"] as const;
export type Format = (typeof formats)[number];

/** `-o table|json|ndjson`, the same for every command that prints rows. */
export function formatOption(): Option {
  return new Option("-o, --output <format>", "how to print: table, json or ndjson")
    .choices(formats)
    .default("table");
}

/** A column of a table: its heading, and its cell of a row. */
export type Column<Row> = readonly [heading: string, cell: (row: Row) => string];

/** Prints rows as asked; in a table an empty list says `none` to stderr, so that a pipe gets nothing. */
export function printRows<Row>(
  {
    rows,
    columns,
    none,
  }: { readonly rows: readonly Row[]; readonly columns: readonly Column<Row>[]; readonly none: string },
  format: Format,
  output: Output,
): void {
  if (format === "json") return output.out(JSON.stringify(rows, undefined, 2));
  if (format === "ndjson") {
    for (const row of rows) output.out(JSON.stringify(row));
    return undefined;
  }
  if (rows.length === 0) return output.err(none);
  const cells = rows.map((row) => columns.map(([, cell]) => printable(cell(row))));
  for (const line of table(
    columns.map(([heading]) => heading),
    cells,
  ))
    output.out(line);
  return undefined;
}

/** Prints one object: members as lines for people, else JSON. */
export function printOne(value: object, format: Format, output: Output): void {
  if (format === "ndjson") return output.out(JSON.stringify(value));
  if (format === "json") return output.out(JSON.stringify(value, undefined, 2));
  const members = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  const width = Math.max(0, ...members.map(([name]) => name.length));
  for (const [name, member] of members) {
    const text = typeof member === "string" ? member : JSON.stringify(member);
    output.out(`${name.padEnd(width)}  ${printable(text)}`);
  }
  return undefined;
}

/** What an event says may hold control characters that would steer a terminal; they are shown, not sent. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) =>
    character === "\t" ? " " : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}
