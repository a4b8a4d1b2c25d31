import { problem } from "./problems.ts";
import { invalid } from "./operation.ts";

/**
 * The revision that `If-Match` asks for, `undefined` for `*`. Of an alert's tag `"<revision>.<rest>"` only
 * the revision counts: evidence that arrives meanwhile does not stand in the way of an acknowledgement.
 * A tag that a proxy made weak on its way counts as well. Throws `precondition-required` when the header is
 * missing and `invalid-request` when it is no tag of ours.
 */
export function readIfMatch(request: Request): number | undefined {
  const text = request.headers.get("if-match")?.trim();
  if (text === undefined || text === "") {
    throw problem("precondition-required", {
      detail: 'Send the alert\'s ETag in If-Match, or "*" to change it whatever it is.',
    });
  }
  if (text === "*") return undefined;
  const [, revision] = /^(?:W\/)?"(\d{1,15})(?:\.[\w.-]{1,100})?"$/.exec(text) ?? [];
  if (revision !== undefined) return Number(revision);
  const detail = `${JSON.stringify(text.slice(0, 80))} is not allowed: expected one ETag of the alert, such as "3.8271", or *.`;
  throw invalid([{ header: "If-Match", detail, code: "format" }]);
}

/** Whether a tag is among those of `If-None-Match`, by weak comparison (RFC 9110 §13.1.2). */
export function matchesNone(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === "*") return true;
  const known = ifNoneMatch.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return known.some((tag) => opaque(tag) === opaque(etag));
}

function opaque(tag: string): string {
  return tag.replace(/^W\//, "");
}
