import type postgres from "postgres";

import { ConfigError, type ConfigProblem } from "../config.ts";
import type { FunctionHost } from "../function.ts";
import type { Access, AccessMode, Principal } from "./access.ts";
import { clientAddress, type TrustedProxies } from "./address.ts";
import { createAttempts } from "./attempts.ts";
import { createLoginAccess, createOpenAccess } from "./authenticate.ts";
import { createKeyStore } from "./key-store.ts";
import { createKeys } from "./keys.ts";
import type { AccessSettings, Way } from "./settings.ts";

/** What is shown where others can call and nobody is asked who they are. */
const openNotice =
  "AUDITFLOW_AUTH=none: everybody who can reach this address can read and change everything here.";

/** What everybody is told in this mode. */
export function noticeOf(mode: AccessMode): string | undefined {
  return mode === "none" ? openNotice : undefined;
}

/** How callers are to be known; decided before anything is opened. */
export type AccessPlan = { readonly settings: AccessSettings } & (
  | { readonly mode: "local" | "none" }
  | { readonly mode: "login"; readonly ways: readonly Way[] }
);

export interface PlanOptions {
  /** Whether others than this machine can call. */
  readonly exposed: boolean;
  /** Whether there is a database to keep keys in. */
  readonly hasDatabase: boolean;
}

/**
 * Decides how callers are known. Throws ConfigError with everything that is missing; also when others can
 * call and nothing was said about who may.
 */
export function planAccess(settings: AccessSettings, options: PlanOptions): AccessPlan {
  const { AUDITFLOW_AUTH: auth = [] } = settings;
  const mode = chooseMode(settings, options.exposed);
  if (mode !== "login" || auth === "none") return { mode: mode === "none" ? mode : "local", settings };
  const problems = [...missing(auth, settings, options)];
  if (problems.length > 0) throw new ConfigError(problems);
  return { mode, ways: auth, settings };
}

/**
 * How callers are known, for a function that leaves the knowing to another one. Throws ConfigError when
 * others can call and nothing was said about who may.
 */
export function chooseMode(
  { AUDITFLOW_AUTH: auth }: Pick<AccessSettings, "AUDITFLOW_AUTH">,
  exposed: boolean,
): AccessMode {
  if (auth === undefined && exposed) throw new ConfigError([undecided]);
  if (auth === undefined || auth === "none") return exposed ? "none" : "local";
  return "login";
}

const undecided: ConfigProblem = {
  name: "AUDITFLOW_AUTH",
  detail: "is required and not set: others than this machine can reach this function.",
  hint: "Set keys and/or oidc; none lets everybody in; AUDITFLOW_HOST=127.0.0.1 shuts all others out.",
};

function* missing(
  auth: readonly Way[],
  settings: AccessSettings,
  { hasDatabase }: PlanOptions,
): Iterable<ConfigProblem> {
  if (auth.includes("keys") && !hasDatabase) {
    yield { name: "DATABASE_URL", detail: "is not set, and AUDITFLOW_AUTH=keys keeps keys there." };
  }
  if (!auth.includes("oidc")) return;
  const { AUDITFLOW_OIDC_ISSUER: issuer, AUDITFLOW_OIDC_JWKS_URL: jwksUrl } = settings;
  if (issuer === undefined) yield unset("AUDITFLOW_OIDC_ISSUER");
  else if (jwksUrl === undefined && !isSafe(issuer)) {
    yield {
      name: "AUDITFLOW_OIDC_ISSUER",
      detail: "is not https, so that anybody on the way could name other keys.",
      hint: "Use https, or say in AUDITFLOW_OIDC_JWKS_URL where the keys are.",
    };
  }
  // Without it a token that was made for any other service would do here.
  if (settings.AUDITFLOW_OIDC_AUDIENCE === undefined) yield unset("AUDITFLOW_OIDC_AUDIENCE");
}

function unset(name: string): ConfigProblem {
  return { name, detail: "is not set, and AUDITFLOW_AUTH=oidc needs it." };
}

function isSafe(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
}

/** Whether the plan needs the database with the keys. */
export function usesKeys(plan: AccessPlan): boolean {
  return plan.mode === "login" && plan.ways.includes("keys");
}

export interface OpenAccessOptions extends Pick<FunctionHost<unknown>, "log" | "now"> {
  /** The database with the keys; not touched unless keys are a way in. */
  readonly postgres?: { readonly sql: postgres.Sql } | undefined;
}

/** Opens what the plan needs; disposing it waits for what is still noted about keys. */
export function openAccess(plan: AccessPlan, options: OpenAccessOptions): Access & AsyncDisposable {
  const { settings } = plan;
  const trusted = settings.AUDITFLOW_TRUSTED_PROXIES ?? nobody;
  const addressOf = (request: Request) => clientAddress(request, trusted);
  if (plan.mode !== "login") {
    const notice = noticeOf(plan.mode);
    if (notice !== undefined) options.log.warn(notice);
    return {
      ...createOpenAccess({ mode: plan.mode, notice, addressOf }),
      [Symbol.asyncDispose]: async () => undefined,
    };
  }
  const { ways } = plan;
  const { now, log, postgres } = options;
  const keys = usesKeys(plan) && postgres ? createKeys({ store: createKeyStore(postgres), log }) : undefined;
  const access = createLoginAccess({
    keys,
    oidc: ways.includes("oidc") ? openOidc(settings, now) : undefined,
    attempts: createAttempts(now),
    addressOf,
  });
  return { ...access, [Symbol.asyncDispose]: async () => keys?.[Symbol.asyncDispose]() };
}

const nobody: TrustedProxies = { has: () => false };

/** What checks signatures is loaded for the first token: no start waits for it. */
function openOidc(settings: AccessSettings, now: () => number) {
  const load = async () => {
    const { createOidc } = await import("./oidc.ts");
    return createOidc({
      issuer: settings.AUDITFLOW_OIDC_ISSUER ?? "",
      audience: settings.AUDITFLOW_OIDC_AUDIENCE ?? "",
      jwksUrl: settings.AUDITFLOW_OIDC_JWKS_URL,
      nameClaim: settings.AUDITFLOW_OIDC_NAME_CLAIM,
      rolesClaim: settings.AUDITFLOW_OIDC_ROLES_CLAIM,
      roles: settings.AUDITFLOW_OIDC_ROLES_MAP,
      now,
    });
  };
  let loading: ReturnType<typeof load> | undefined;
  return async (token: string): Promise<Principal> => (await (loading ??= load()))(token);
}
