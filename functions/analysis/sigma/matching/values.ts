/** What a field holds: its values with arrays opened, and whether it is there at all. */
export interface Found {
  readonly present: boolean;
  /** Text, numbers, booleans, null and objects, in order. */
  readonly values: readonly unknown[];
}

/** Reads one field of an event. Never throws. */
export type Read = (fields: object) => Found;

const absent: Found = { present: false, values: [] };

/** Below this many levels a dotted name is not followed: no event is read by recursion without a bound. */
const deepest = 500;

/**
 * Compiles a field name to its reader. This is the definition of what a field is; whoever finds fields
 * faster must find the same. A literal key (`a.b`) beats nesting (`a` then `b`), a longer literal key
 * beats a shorter one, and a dotted path crosses arrays: `a.b` reads `b` of every member of `a`. Only own,
 * enumerable properties count, as in JSON, so `constructor`, `length` and the like are fields only where
 * the event says so; what throws when it is read (a getter, a proxy) is absent.
 */
export function compileField(name: string): Read {
  if (!name.includes(".")) return (fields) => open(ownValue(fields, name));
  return (fields) => {
    const values: unknown[] = [];
    return collect(fields, { name, from: 0, depth: 0 }, values) ? { present: true, values } : absent;
  };
}

function open(value: unknown): Found {
  if (value === undefined) return absent;
  if (!Array.isArray(value)) return { present: true, values: [value] };
  const values: unknown[] = [];
  eachMember(value, (member) => values.push(member));
  return { present: true, values };
}

/** What remains of a dotted name, from an index on. */
interface Rest {
  readonly name: string;
  readonly from: number;
  readonly depth: number;
}

/** Adds what lies below the longest key that leads anywhere; answers whether one did. */
function collect(container: object, { name, from, depth }: Rest, into: unknown[]): boolean {
  const literal = ownValue(container, name.slice(from));
  if (literal !== undefined) {
    eachMember(literal, (value) => into.push(value));
    return true;
  }
  if (depth >= deepest) return false;
  for (let dot = name.lastIndexOf("."); dot > from; dot = name.lastIndexOf(".", dot - 1)) {
    const outer = ownValue(container, name.slice(from, dot));
    if (typeof outer !== "object" || outer === null) continue;
    const rest = { name, from: dot + 1, depth: depth + 1 };
    let reached = false;
    eachMember(outer, (member) => {
      if (typeof member === "object" && member !== null && collect(member, rest, into)) reached = true;
    });
    if (reached) return true;
  }
  return false;
}

/** An own, enumerable property; `undefined` also for one that cannot be read. */
function ownValue(container: object, key: string): unknown {
  try {
    return isOwn(container, key) ? Reflect.get(container, key) : undefined;
  } catch {
    return undefined;
  }
}

/** A property by its name, which V8 does faster than `Reflect.get`. */
export function readKey(container: object, key: string): unknown {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Any object may be asked for any name.
  return (container as Readonly<Record<string, unknown>>)[key];
}

/** Not `Object.hasOwn`: the length of an array and the message of an error are no fields. */
export function isOwn(container: object, key: string): boolean {
  return Object.prototype.propertyIsEnumerable.call(container, key);
}

/** Whether enumerating the keys of an object yields its own only, so that each need not be asked. */
export function hasOwnKeysOnly(container: object, polluted: boolean): boolean {
  const prototype: unknown = Object.getPrototypeOf(container);
  return prototype === null || (prototype === Object.prototype && !polluted);
}

/** Whether somebody gave all objects an enumerable property. */
export function isPolluted(): boolean {
  // oxlint-disable-next-line guard-for-in -- The first key is enough.
  for (const key in Object.prototype) return key.length >= 0;
  return false;
}

/** A value, or the members of an array at any depth; without recursion, for events may nest deeper than the stack. */
function eachMember(value: unknown, visit: (member: unknown) => void): void {
  if (!Array.isArray(value)) return visit(value);
  const pending: unknown[] = [value];
  const opened = new Set<unknown>();
  while (pending.length > 0) {
    const next = pending.pop();
    if (!Array.isArray(next)) visit(next);
    else if (!opened.has(next)) {
      opened.add(next);
      for (let i = next.length - 1; i >= 0; i -= 1) pending.push(next[i]);
    }
  }
}

/**
 * A value as the text it is compared by: numbers and booleans as JSON writes them, objects by their JSON
 * text (an extension, for fields such as `requestParameters`), null not at all.
 */
export function toText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") {
    return String(value);
  }
  return typeof value === "object" && value !== null ? toJson(value) : undefined;
}

function toJson(value: object): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    // Nested deeper than the stack, cyclic or otherwise not JSON: it has no text, and the event lives on.
    return undefined;
  }
}

/** Objects and arrays a walk enters at most; only an event that makes itself up while it is read has more. */
const mostContainers = 1_000_000;

/**
 * Whether some value anywhere in the event, not counting names, passes; without recursion, each object
 * once, so that cycles end. Objects have no text here: their members have.
 */
export function someText(fields: object, test: (text: string) => boolean): boolean {
  const pending: unknown[] = [fields];
  const entered = new Set<object>();
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value === "object" && value !== null) {
      if (entered.has(value) || entered.size >= mostContainers) continue;
      entered.add(value);
      for (const member of membersOf(value)) pending.push(member);
      continue;
    }
    const text = toText(value);
    if (text !== undefined && test(text)) return true;
  }
  return false;
}

function membersOf(container: object): readonly unknown[] {
  if (Array.isArray(container)) return container;
  try {
    return Object.keys(container).map((key) => ownValue(container, key));
  } catch {
    return [];
  }
}
