import { createRemoteJWKSet, type JWTVerifyGetKey } from "jose";
import { z } from "zod";

/** Longest time to wait for the issuer. */
const timeoutMs = 5000;
const cacheMs = 600_000;

export interface KeySetOptions {
  readonly issuer: string;
  readonly jwksUrl?: string | undefined;
  readonly cooldownMs?: number;
}

const discovered = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });

/**
 * The issuer's public keys, fetched when they are first needed, kept for ten minutes, and fetched again for
 * an unknown key id, but not more often than every 30 s: whoever sends made-up ids must not make us call.
 */
export function createKeySet({ issuer, jwksUrl, cooldownMs = 30_000 }: KeySetOptions): JWTVerifyGetKey {
  const open = async () =>
    createRemoteJWKSet(jwksUrl === undefined ? await discover(issuer) : new URL(jwksUrl), {
      timeoutDuration: timeoutMs,
      cooldownDuration: cooldownMs,
      cacheMaxAge: cacheMs,
    });
  let opening: ReturnType<typeof open> | undefined;
  return async (header, token) => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return (await opening)(header, token);
  };
}

/** OpenID Connect Discovery 1.0 §4: the document must be the one of this issuer. */
async function discover(issuer: string): Promise<URL> {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const response = await fetch(url, {
    headers: { accept: "application/json" },
    redirect: "error",
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const document = discovered.safeParse(await response.json());
  if (!document.success) throw new Error(`${url} is no discovery document`);
  if (document.data.issuer !== issuer) throw new Error(`${url} is the document of another issuer`);
  const keys = new URL(document.data.jwks_uri);
  if (keys.protocol !== "https:" && new URL(issuer).protocol === "https:") {
    throw new Error(`${url} names keys that are not fetched over https`);
  }
  return keys;
}
