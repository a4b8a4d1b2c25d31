/** What a field holds: its values with arrays opened, and whether it is there at all. */
interface Found {
  readonly present: boolean;
  /** Text, numbers, booleans, null and objects, in order. */
  readonly values: readonly unknown[];
}

/** Reads one field of an event. */
export type Read = (fields: object) => Found;

const absent: Found = { present: false, values: [] };

/**
 * Compiles a field name to its reader. A literal key (`a.b`) beats nesting (`a` then `b`), a longer
 * literal key beats a shorter one, and a dotted path crosses arrays: `a.b` reads `b` of every member of
 * `a`. Only own properties count, so `constructor`, `length` and the like are fields only where the event
 * says so.
 */
export function compileField(name: string): Read {
  const splits = splitsOf(name);
  return (fields) => {
    const literal = ownValue(fields, name);
    if (literal.present) return open(literal.values);
    if (splits.length === 0) return absent;
    const values: unknown[] = [];
    return collect(fields, splits, values) ? { present: true, values } : absent;
  };
}

/** A way to read a dotted name: a key, and what remains of the name below it. */
interface Split {
  readonly key: string;
  readonly rest: string;
  readonly splits: readonly Split[];
}

/** Every way to cut a dotted name in two, longest key first; shared between equal remainders. */
function splitsOf(name: string, known = new Map<string, readonly Split[]>()): readonly Split[] {
  const before = known.get(name);
  if (before) return before;
  const splits: Split[] = [];
  for (let dot = name.lastIndexOf("."); dot > 0; dot = name.lastIndexOf(".", dot - 1)) {
    const rest = name.slice(dot + 1);
    splits.push({ key: name.slice(0, dot), rest, splits: splitsOf(rest, known) });
  }
  known.set(name, splits);
  return splits;
}

/** Adds what lies below the first key that leads anywhere; answers whether one did. */
function collect(container: object, splits: readonly Split[], into: unknown[]): boolean {
  for (const split of splits) {
    const { present, values } = ownValue(container, split.key);
    if (!present) continue;
    let reached = false;
    for (const member of open(values).values) {
      if (typeof member !== "object" || member === null) continue;
      const literal = ownValue(member, split.rest);
      if (literal.present) {
        for (const value of open(literal.values).values) into.push(value);
        reached = true;
      } else if (collect(member, split.splits, into)) reached = true;
    }
    if (reached) return true;
  }
  return false;
}

function ownValue(container: object, key: string): Found {
  if (!Object.hasOwn(container, key)) return absent;
  const value: unknown = Reflect.get(container, key);
  return value === undefined ? absent : { present: true, values: [value] };
}

/** Opens arrays, at any depth and without recursion: an event may nest deeper than the stack is. */
function open(values: readonly unknown[]): Found {
  if (!values.some(Array.isArray)) return { present: true, values };
  const opened: unknown[] = [];
  const pending: unknown[] = [...values].toReversed();
  while (pending.length > 0) {
    const value = pending.pop();
    if (Array.isArray(value)) for (let i = value.length - 1; i >= 0; i -= 1) pending.push(value[i]);
    else opened.push(value);
  }
  return { present: true, values: opened };
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
    // Nested deeper than the stack: such an object has no text, and the event lives on.
    return undefined;
  }
}

/** Whether some value anywhere in the event, not counting names, passes; without recursion. */
export function someValue(fields: object, test: (text: string) => boolean): boolean {
  const pending: unknown[] = [fields];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value === "object" && value !== null) {
      for (const key of Object.keys(value)) pending.push(Reflect.get(value, key));
      continue;
    }
    const text = toText(value);
    if (text !== undefined && test(text)) return true;
  }
  return false;
}
