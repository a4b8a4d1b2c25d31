import { once } from "node:events";
import { createServer } from "node:http";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";

/** What of a token is not as it should be. */
export interface MintOptions {
  readonly claims?: JWTPayload;
  /** `symmetric` signs with the public key as if it were a secret, `none` not at all. */
  readonly signature?: "asymmetric" | "symmetric" | "none";
  readonly issuer?: string;
  readonly audience?: string;
  /** Seconds from now; no `exp` at all when null. */
  readonly expiresIn?: number | null;
}

/** An OpenID Connect issuer on the loopback address, as far as whoever checks its tokens sees it. */
export interface TestIssuer extends AsyncDisposable {
  readonly url: string;
  /** Makes a key and signs with it from now on; those before it are published no more. */
  rotate(): Promise<void>;
  mint(options?: MintOptions): Promise<string>;
  /** While it is away, all it answers is 503. */
  setAway(away: boolean): void;
  /** Requests for keys so far. */
  fetches(): number;
}

interface Key {
  readonly kid: string;
  readonly privateKey: Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];
  readonly jwk: object;
}

async function createKey(kid: string): Promise<Key> {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" } };
}

export async function openIssuer(): Promise<TestIssuer> {
  let key = await createKey("key-1");
  let made = 1;
  let fetches = 0;
  let isAway = false;
  const server = createServer((request, response) => {
    const isKeys = request.url === "/keys";
    if (isKeys) fetches += 1;
    const body = isKeys ? { keys: [key.jwk] } : { issuer: url, jwks_uri: `${url}/keys` };
    response.writeHead(isAway ? 503 : 200, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  return {
    url,
    async rotate() {
      made += 1;
      key = await createKey(`key-${made}`);
    },
    mint: (options = {}) => mint(key, { issuer: url, ...options }),
    setAway: (away) => void (isAway = away),
    fetches: () => fetches,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function mint({ kid, privateKey, jwk }: Key, options: MintOptions): Promise<string> {
  const { issuer = "", audience = "auditflow", expiresIn = 300, signature = "asymmetric" } = options;
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: issuer,
    aud: audience,
    sub: "ana",
    iat: now,
    ...(expiresIn === null ? {} : { exp: now + expiresIn }),
    ...options.claims,
  };
  if (signature === "none") return new UnsecuredJWT(claims).encode();
  const isSymmetric = signature === "symmetric";
  const jwt = new SignJWT(claims).setProtectedHeader({ alg: isSymmetric ? "HS256" : "ES256", kid });
  return jwt.sign(isSymmetric ? Buffer.from(JSON.stringify(jwk)) : privateKey);
}
