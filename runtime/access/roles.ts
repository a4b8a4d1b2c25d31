import { isScope, type Scope } from "./scopes.ts";

/** Which scopes a role at the issuer stands for. */
export type RoleMap = ReadonlyMap<string, readonly Scope[]>;

/**
 * The scopes a token's roles stand for. The claim is named as it is, or as a path with dots
 * (`realm_access.roles`); it holds a list, or words between spaces. A role the map does not have counts
 * for nothing.
 */
export function scopesOf(
  claims: Readonly<Record<string, unknown>>,
  path: string,
  roles: RoleMap,
): readonly Scope[] {
  const claim = Object.hasOwn(claims, path) ? claims[path] : follow(claims, path.split("."));
  const words: readonly unknown[] =
    typeof claim === "string" ? claim.split(" ") : Array.isArray(claim) ? claim : [];
  return words.flatMap((word) => (typeof word === "string" ? (roles.get(word) ?? []) : []));
}

/** `security=responder,platform=admin`; a role may stand for several. Answers with the first part that is wrong. */
export function parseRoleMap(text: string): RoleMap | { readonly wrong: string } {
  const roles = new Map<string, readonly Scope[]>();
  for (const part of text.split(",").map((part) => part.trim())) {
    if (part === "") continue;
    const at = part.lastIndexOf("=");
    const role = part.slice(0, at).trim();
    const scope = part.slice(at + 1).trim();
    if (at < 1 || role === "" || !isScope(scope)) return { wrong: part };
    roles.set(role, [...(roles.get(role) ?? []), scope]);
  }
  return roles;
}

function follow(value: unknown, [step, ...rest]: readonly string[]): unknown {
  if (step === undefined) return value;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
  return follow(Reflect.get(value, step), rest);
}
