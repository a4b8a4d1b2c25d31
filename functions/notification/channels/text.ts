/** Leaves a text as it is. */
function same(text: string): string {
  return text;
}

/**
 * What came from events as it may be shown: well-formed, without control characters (terminal sequences
 * among them) and without the ones that turn the direction of text around. Line breaks become spaces.
 */
export function oneLine(text: string): string {
  return manyLines(text).replaceAll(/\s+/g, " ").trim();
}

/** As `oneLine`, but line breaks stay. */
export function manyLines(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/\r\n?|[\u2028\u2029\u0085]/g, "\n")
    .replaceAll(/[[\p{Cc}\p{Bidi_Control}\uFEFF]--[\n\t]]/gv, "")
    .replaceAll("\t", " ")
    .trim();
}

/**
 * The text escaped, at most `limit` UTF-16 units of it: it is cut between characters, before an escape
 * rather than inside it, and `…` says so.
 */
export function fit(text: string, limit: number, escape: (text: string) => string = same): string {
  const whole = escape(text);
  if (whole.length <= limit) return whole;
  let cut = "";
  for (const character of text) {
    const next = escape(character);
    if (cut.length + next.length > limit - 1) break;
    cut += next;
  }
  return `${cut}…`;
}

/** As `fit`, but in bytes of UTF-8 and without escaping. */
export function fitBytes(text: string, limit: number): string {
  if (Buffer.byteLength(text) <= limit) return text;
  let cut = "";
  let bytes = Buffer.byteLength("…");
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > limit) break;
    cut += character;
  }
  return `${cut}…`;
}

/** Characters that mean something in HTML and XML, and in what is modelled on them. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => htmlEntities[character] ?? character);
}

const htmlEntities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
