/**
 * What JSON can say and PostgreSQL's text and jsonb cannot: U+0000 and lone surrogates, as
 * `JSON.stringify` writes them. An even number of backslashes before it is text, not an escape.
 */
const unstorable = /(?<!\\)((?:\\\\)*)\\u(0000|d[89a-f][0-9a-f]{2})/g;

/**
 * JSON for a `jsonb` parameter. Characters that PostgreSQL cannot store become their visible escape,
 * the six characters `\u0000`, so that one odd event is kept readable and cannot fail its neighbours.
 */
export function toStoredJson(value: unknown): string {
  const json = JSON.stringify(value);
  return json.includes("\\u") ? json.replace(unstorable, String.raw`$1\\u$2`) : json;
}

/** The same for text. */
export function toStoredText(text: string): string {
  if (text.isWellFormed() && !text.includes("\u0000")) return text;
  return String(JSON.parse(toStoredJson(text)));
}
