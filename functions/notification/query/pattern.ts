/** A text with `*` between its parts; a single part is a whole text. */
export type Pattern = readonly string[];

/** A to Z as a to z and nothing else, as `lower(… collate "C")` does it in the database. */
export function foldCase(text: string): string {
  return text.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
}

/** Whether the whole text is as the pattern says. Takes time linear in the text for every part. */
export function fits(pattern: Pattern, text: string): boolean {
  const first = pattern[0] ?? "";
  const last = pattern.at(-1) ?? "";
  if (pattern.length <= 1) return text === first;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
    return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const part of pattern.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** The pattern for SQL's `like`, with the backslash as its escape. */
export function toLike(pattern: Pattern): string {
  return pattern.map((part) => part.replace(/[\\%_]/g, String.raw`\$&`)).join("%");
}
