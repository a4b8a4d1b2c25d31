/** A cursor that no list made, or that another order's list made. */
export class CursorError extends Error {
  override readonly name = "CursorError";
}

/** Longer than any cursor of ours. */
const longest = 500;

/** A cursor as whoever holds it sees it: one word without meaning. */
export function seal(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** What was sealed; `undefined` for what never was. Whose list it is of is for that list to check. */
export function unseal(text: string): unknown {
  if (text.length > longest || !/^[\w-]+$/.test(text)) return undefined;
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}
