/**
 * The value without members, and items, that say nothing: null, undefined, empty objects and empty lists;
 * `undefined` when nothing is left. Foreign schemas know no null.
 */
function present(value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  if (typeof value !== "object") return value;
  if (Array.isArray(value)) {
    const items = value.map(present).filter((item) => item !== undefined);
    return items.length > 0 ? items : undefined;
  }
  const members = Object.entries(value)
    .map(([name, member]) => [name, present(member)] as const)
    .filter(([, member]) => member !== undefined);
  return members.length > 0 ? Object.fromEntries(members) : undefined;
}

/** The same for an object, which stays one. */
export function presentMembers(value: object): object {
  const left = present(value);
  return typeof left === "object" && left !== null ? left : {};
}

/** A member that is a text. */
export function textOf(object: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = object[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}
