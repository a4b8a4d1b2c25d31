/** An array as PostgreSQL reads it in text form; cast the parameter: `${arrayLiteral(ids)}::text[]`. */
export function arrayLiteral(values: readonly (string | number | Buffer | null)[]): string {
  return `{${values.map(arrayElement).join(",")}}`;
}

function arrayElement(value: string | number | Buffer | null): string {
  if (value === null) return "NULL";
  if (typeof value === "number") return String(value);
  if (typeof value !== "string") return `"\\\\x${value.toString("hex")}"`;
  return `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
