import { randomBytes, randomUUID } from "node:crypto";
import pino from "pino";

import { targets } from "../../functions/index.ts";
import { hashSecret } from "../../runtime/access/hash.ts";
import { type TestIssuer, openIssuer } from "../../runtime/access/issuer.testing.ts";
import { createKeyStore, type KeyStore } from "../../runtime/access/key-store.ts";
import { type Scope, scopes } from "../../runtime/access/scopes.ts";
import { createToken } from "../../runtime/access/token.ts";
import { createLog } from "../../runtime/log.ts";
import { openPostgres } from "../../runtime/postgres/postgres.ts";
import { serve } from "../../runtime/serve.ts";
import { openTestDatabase } from "./database.ts";

/** A function that serves people. */
export type Served = "notification" | "generator" | "dashboard";

/** The functions that serve people, with a login, over one database. */
export interface GuardedFunctions extends AsyncDisposable {
  readonly urls: Readonly<Record<Served, string>>;
  readonly issuer: TestIssuer;
  readonly store: KeyStore;
  /** An API key with just these scopes. */
  keyOf(...scopes: readonly Scope[]): Promise<string>;
  /** One key for each scope. */
  readonly keys: Readonly<Record<Scope, string>>;
  /** Everything they logged, at the most talkative level. */
  logged(): string;
}

export async function openGuardedFunctions(): Promise<GuardedFunctions> {
  await using opening = new AsyncDisposableStack();
  const database = opening.use(await openTestDatabase());
  const issuer = opening.use(await openIssuer());
  const silent = createLog({ name: "test", level: "silent" });
  const postgres = opening.use(await openPostgres({ url: database.url, name: "test", max: 2, log: silent }));
  const store = createKeyStore(postgres);
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });

  const keyOf = async (...scopes: readonly Scope[]) => {
    const { prefix, text } = createToken((bytes) => randomBytes(bytes).toString("hex"));
    await store.insert({
      keyId: randomUUID(),
      prefix,
      name: scopes.join("+"),
      scopes,
      hash: await hashSecret(text),
    });
    return text;
  };
  const start = async (name: Served, env: Record<string, string>) => {
    const load = targets[name];
    if (!load) throw new Error(`There is no function "${name}".`);
    const shared = {
      DATABASE_URL: database.url,
      K_SINK: "http://127.0.0.1:1/",
      AUDITFLOW_AUTH: "keys,oidc",
      AUDITFLOW_OIDC_ISSUER: issuer.url,
      AUDITFLOW_OIDC_AUDIENCE: "auditflow",
      // Each request of a test comes from an address of its own, or failures would count together.
      AUDITFLOW_TRUSTED_PROXIES: "127.0.0.1",
      AUDITFLOW_API_RATE: "0",
      AUDITFLOW_CONSOLE: "false",
    };
    const options = { env: { ...shared, ...env }, port: 0, host: "127.0.0.1", overrides: { log } };
    return opening.use(await serve(await load(), options)).url;
  };
  const notification = await start("notification", {});
  const urls = {
    notification,
    generator: await start("generator", {}),
    dashboard: await start("dashboard", { AUDITFLOW_NOTIFICATION_URL: notification }),
  };
  const entries = await Promise.all(scopes.map(async (scope) => [scope, await keyOf(scope)] as const));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- there is an entry for every scope
  const keys = Object.fromEntries(entries) as Record<Scope, string>;
  const opened = opening.move();
  return {
    urls,
    issuer,
    store,
    keyOf,
    keys,
    logged: () => lines.join(""),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

let asked = 0;

/** Sends a request from an address of its own; a body that would go on is not read. */
export async function send(
  url: string,
  method: string,
  {
    token,
    headers = {},
  }: { readonly token?: string | undefined; readonly headers?: Record<string, string> } = {},
): Promise<Response> {
  asked += 1;
  const response = await fetch(url, {
    method,
    headers: {
      "x-forwarded-for": `192.0.${Math.floor(asked / 250)}.${asked % 250}`,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
  });
  if (response.headers.get("content-type")?.includes("event-stream")) await response.body?.cancel();
  return response;
}

/** What a refusal says of itself. */
export async function refusalOf(response: Response) {
  const body: unknown = await response.json();
  return {
    status: response.status,
    contentType: response.headers.get("content-type"),
    challenge: response.headers.get("www-authenticate"),
    told: typeof body === "object" && body !== null && "status" in body ? body.status : undefined,
  };
}

/** A refusal as RFC 6750 and RFC 9457 want it. */
export function refusal(status: number, challenge: string): Awaited<ReturnType<typeof refusalOf>> {
  return {
    status,
    contentType: "application/problem+json",
    challenge: `Bearer realm="auditflow"${challenge}`,
    told: status,
  };
}
