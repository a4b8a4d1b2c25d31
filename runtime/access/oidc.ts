import { errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from "jose";

import { UnavailableError } from "../failure.ts";
import { AccessError, type Principal } from "./access.ts";
import { createKeySet } from "./key-set.ts";
import { grant } from "./scopes.ts";
import { type RoleMap, scopesOf } from "./roles.ts";

export interface OidcOptions {
  /** As it stands in `iss`. */
  readonly issuer: string;
  readonly audience: string;
  /** Where the issuer's keys are; found by discovery when left out. */
  readonly jwksUrl?: string | undefined;
  /** The claim that names the caller in histories. */
  readonly nameClaim: string;
  readonly rolesClaim: string;
  readonly roles: RoleMap;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** How soon after the issuer's keys were fetched an unknown one makes them be fetched again. */
  readonly cooldownMs?: number;
}

/** Asymmetric signatures only: with a symmetric one whoever can check a token can make one. */
const algorithms = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519".split(" ");
const clockToleranceSeconds = 30;
const longestName = 200;

/**
 * Checks bearer tokens (JWT) of one OpenID Connect issuer: signature, `iss`, `aud`, `exp`, `nbf`. Throws
 * AccessError CREDENTIAL_INVALID when the token is wrong, UnavailableError when the issuer's keys cannot be
 * had: then nobody can say whether it is.
 */
export function createOidc(options: OidcOptions): (token: string) => Promise<Principal> {
  const { issuer, audience, now } = options;
  const getKey = judged(createKeySet(options));
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, getKey, {
        issuer,
        audience,
        algorithms,
        clockTolerance: clockToleranceSeconds,
        currentDate: new Date(now()),
        requiredClaims: ["exp", options.nameClaim],
      });
      return toPrincipal(payload, options);
    } catch (error) {
      if (error instanceof errors.JOSEError) throw invalid(error);
      throw error;
    }
  };
}

/** What a key set fails with is the token's fault only where it has no such key. */
function judged(getKey: JWTVerifyGetKey): JWTVerifyGetKey {
  return async (header, token) => {
    try {
      return await getKey(header, token);
    } catch (error) {
      if (isTokensFault(error)) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new UnavailableError("oidc", `The keys of the issuer cannot be had: ${reason}`, { cause: error });
    }
  };
}

function isTokensFault(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

/** Says which check failed, and nothing of what the token holds. */
function invalid(error: errors.JOSEError): AccessError {
  return new AccessError("CREDENTIAL_INVALID", `The bearer token is not valid: ${reasonOf(error)}.`);
}

function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return "it has expired";
  if (error instanceof errors.JWTClaimValidationFailed) return `its "${error.claim}" is not as expected`;
  if (error instanceof errors.JOSEAlgNotAllowed) return "its algorithm is not allowed";
  if (error instanceof errors.JWKSNoMatchingKey) return "the issuer has no such key";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "its signature does not fit";
  return "it cannot be read";
}

function toPrincipal(payload: JWTPayload, { nameClaim, rolesClaim, roles }: OidcOptions): Principal {
  const name = payload[nameClaim];
  if (typeof name !== "string" || name === "" || name.length > longestName) {
    throw new AccessError(
      "CREDENTIAL_INVALID",
      `The bearer token is not valid: its "${nameClaim}" is no name of at most ${longestName} characters.`,
    );
  }
  return { type: "user", id: name, scopes: grant(scopesOf(payload, rolesClaim, roles)) };
}
