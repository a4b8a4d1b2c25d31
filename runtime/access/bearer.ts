import { AccessError } from "./access.ts";
import { looksLikeToken } from "./token.ts";

/** Longer than any token an issuer makes, and shorter than what a server takes for headers. */
const longest = 16_384;

/** Query parameters that are used for tokens elsewhere. */
const named = new Set(["access_token", "token", "api_key", "apikey"]);

/**
 * The bearer token of a request (RFC 6750 §2.1). Throws AccessError: UNAUTHENTICATED when there is none,
 * CREDENTIAL_INVALID when it is in the query, which ends up in logs and histories, or of another scheme.
 */
export function readBearer(request: Request): string {
  refuseQuery(request.url);
  const header = request.headers.get("authorization");
  if (header === null) {
    throw new AccessError(
      "UNAUTHENTICATED",
      'This needs a credential: send "Authorization: Bearer <token>".',
    );
  }
  const [, token] = /^bearer +([\w.~+/=-]+) *$/i.exec(header) ?? [];
  if (token !== undefined && token.length <= longest) return token;
  throw new AccessError("CREDENTIAL_INVALID", 'Authorization is not of the form "Bearer <token>".');
}

function refuseQuery(url: string): void {
  const at = url.indexOf("?");
  if (at < 0) return;
  for (const [name, value] of new URLSearchParams(url.slice(at + 1))) {
    if (!named.has(name.toLowerCase()) && !looksLikeToken(value)) continue;
    throw new AccessError(
      "CREDENTIAL_INVALID",
      "A credential in the query is not accepted, because addresses are logged. Consider it known to others, and send another one in Authorization.",
    );
  }
}
