import { z } from "zod";

import { urlSetting } from "../settings.ts";
import { parseNetworks } from "./address.ts";
import { parseRoleMap, type RoleMap } from "./roles.ts";
import { scopes } from "./scopes.ts";

const ways = ["keys", "oidc"] as const;
export type Way = (typeof ways)[number];

/** `keys`, `oidc`, both with a comma, or `none`. */
const authSetting = z.string().transform((text, context): readonly Way[] | "none" => {
  const words = text.split(",").map((word) => word.trim().toLowerCase());
  if (words.length === 1 && words[0] === "none") return "none";
  const known = ways.filter((way) => words.includes(way));
  if (known.length === new Set(words).size) return known;
  context.issues.push({
    code: "custom",
    message: 'expected "keys", "oidc", "keys,oidc" or "none"',
    input: text,
  });
  return z.NEVER;
});

/** Without a map a role is the scope of the same name. */
const sameNames: RoleMap = new Map(scopes.map((scope) => [scope, [scope]]));

const roleMapSetting = z.string().transform((text, context): RoleMap => {
  const map = parseRoleMap(text);
  if (!("wrong" in map)) return map;
  const message = `"${map.wrong}" is not role=scope, with one of ${scopes.join("|")}`;
  context.issues.push({ code: "custom", message, input: text });
  return z.NEVER;
});

const networksSetting = z.string().transform((text, context) => {
  const networks = parseNetworks(text.split(",").map((part) => part.trim()));
  if (!("wrong" in networks)) return networks;
  const message = `"${networks.wrong}" is no address or network such as 10.42.0.0/16`;
  context.issues.push({ code: "custom", message, input: text });
  return z.NEVER;
});

/** What a function that serves people reads to know who they are. */
export const accessSettings = z.object({
  /** How callers are known. Unset: nobody is asked, and only this machine can call. */
  AUDITFLOW_AUTH: authSetting.optional(),
  AUDITFLOW_OIDC_ISSUER: urlSetting({
    schemes: ["https", "http"],
    example: "https://login.example.org/realms/main",
  }).optional(),
  /** What the tokens for us have in `aud`. */
  AUDITFLOW_OIDC_AUDIENCE: z.string().optional(),
  /** Where the issuer's keys are; else its discovery document says so. */
  AUDITFLOW_OIDC_JWKS_URL: urlSetting({
    schemes: ["https", "http"],
    example: "https://login.example.org/keys",
  }).optional(),
  /** The claim with the roles; dots lead into objects. */
  AUDITFLOW_OIDC_ROLES_CLAIM: z.string().default("roles"),
  /** `role=scope`, with commas; else a role is the scope of its name. */
  AUDITFLOW_OIDC_ROLES_MAP: roleMapSetting.default(sameNames),
  /** The claim that names people in histories. One that people can change themselves lets them pass for others. */
  AUDITFLOW_OIDC_NAME_CLAIM: z.string().default("sub"),
  /** Networks of proxies whose X-Forwarded-For tells where a request came from; for counting failures. */
  AUDITFLOW_TRUSTED_PROXIES: networksSetting.optional(),
});
export type AccessSettings = z.infer<typeof accessSettings>;
