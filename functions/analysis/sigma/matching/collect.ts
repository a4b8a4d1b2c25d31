import { add, begin, type Field } from "./field.ts";
import type { Subject } from "./subject.ts";
import { compileField, hasOwnKeysOnly, isOwn, isPolluted, readKey } from "./values.ts";

/** Told of what is found while an event is walked. */
export interface Sink {
  /** Forgets what it was told; answers the number under which the same event is now read once more. */
  readonly restart: () => number;
  /** The field is there. */
  readonly onField: (field: Field) => void;
  /** It holds a value with this subject. */
  readonly onValue: (subject: Subject) => void;
}

/** Fills the fields with what an event holds; never throws. */
export type Collect = (fields: object, event: number) => void;

/** Longer names are not followed into nested objects by the walk but read one by one. */
const mostSegments = 16;

/**
 * Compiles the reading of many fields at once. Fields are found by walking the event's own keys along a
 * tree of the names in use, each key looked at once. `values.ts` says what a field is; where a name can be
 * read in more than one way and the event offers more than one of them, or holds something no JSON text
 * does, all fields are read by that definition instead.
 */
export function createCollect(fields: readonly Field[], sink: Sink): Collect {
  const readers = fields.map((field) => ({ field, read: compileField(field.name) }));
  const long = readers.filter(({ field }) => field.name.split(".").length > mostSegments);
  const root = createBranch();
  let routes = 0;
  for (const field of fields)
    if (!long.some((one) => one.field === field)) plant(root, field, () => (routes += 1));
  const walk = createWalk(sink);
  return (event, number) => {
    if (!walk(event, root, number)) return readPlainly(readers, event, { number: sink.restart(), sink });
    if (long.length > 0) readPlainly(long, event, { number, sink });
  };
}

/** What may come below some prefix of the names. */
interface Branch {
  readonly byKey: Map<string, Edge>;
  /** The edge that came first last time. */
  first: Edge | undefined;
  /** How many keys it knows that lead nowhere. */
  idle: number;
}

interface Edge {
  readonly key: string;
  /** Neither a field nor anything that leads to one: most keys of most events. */
  idle: boolean;
  /** The field whose name ends here, and the number of this way to it. */
  field: Field | undefined;
  route: number;
  below: Branch | undefined;
  /** Several segments of a name in one key, but not up to its end: what wins is left to the definition. */
  ambiguous: boolean;
  /** The edge that came next last time: events of one kind have their keys in one order. */
  next: Edge | undefined;
}

function createBranch(): Branch {
  return { byKey: new Map(), first: undefined, idle: 0 };
}

function edgeOf(branch: Branch, key: string): Edge {
  let edge = branch.byKey.get(key);
  if (!edge) {
    edge = {
      key,
      idle: true,
      field: undefined,
      route: -1,
      below: undefined,
      ambiguous: false,
      next: undefined,
    };
    branch.byKey.set(key, edge);
  }
  return edge;
}

function plant(root: Branch, field: Field, nextRoute: () => number): void {
  const segments = field.name.split(".");
  let branch = root;
  for (let from = 0; from < segments.length; from += 1) {
    for (let to = from + 1; to <= segments.length; to += 1) {
      // Nothing stands before a dot at the beginning of what remains.
      if (to < segments.length && segments.slice(from, to).join(".") === "") continue;
      const edge = edgeOf(branch, segments.slice(from, to).join("."));
      edge.idle = false;
      if (to === segments.length) {
        edge.field = field;
        edge.route = nextRoute();
      } else if (to > from + 1) edge.ambiguous = true;
      else edge.below ??= createBranch();
    }
    branch = branch.byKey.get(segments[from] ?? "")?.below ?? createBranch();
  }
}

/** So many keys that lead nowhere are remembered in one place, so that they are passed over quickly. */
const mostIdle = 256;

/** Answers false when the event has to be read by the definition. */
type Walk = (container: object, branch: Branch, event: number) => boolean;

function createWalk(sink: Sink): Walk {
  const walking: Walking = { sink, event: 0, polluted: false };
  return (container, branch, event) => {
    walking.event = event;
    walking.polluted = isPolluted();
    try {
      return visit(container, branch, walking);
    } catch {
      // A getter or a proxy threw.
      return false;
    }
  };
}

/** What a walk is about; one object, used again for every event. */
interface Walking {
  readonly sink: Sink;
  event: number;
  /** Whether objects may inherit keys. */
  polluted: boolean;
}

function visit(container: object, branch: Branch, walking: Walking): boolean {
  const isPlain = hasOwnKeysOnly(container, walking.polluted);
  let before: Edge | undefined;
  let edge = branch.first;
  // oxlint-disable-next-line guard-for-in -- Own keys are told from inherited ones where it matters.
  for (const key in container) {
    if (edge === undefined || edge.key !== key) {
      edge = branch.byKey.get(key) ?? learn(branch, key);
      if (before) before.next = edge;
      else branch.first = edge;
    }
    if (edge === undefined) continue;
    if (!edge.idle && (isPlain || isOwn(container, key))) {
      const value = readKey(container, key);
      if (value !== undefined && !follow(edge, value, walking)) return false;
    }
    before = edge;
    edge = edge.next;
  }
  return true;
}

function follow(edge: Edge, value: unknown, walking: Walking): boolean {
  if (edge.ambiguous) return false;
  if (edge.field && !deliver(edge, value, walking)) return false;
  const { below } = edge;
  if (!below || typeof value !== "object" || value === null) return true;
  if (!Array.isArray(value)) return visit(value, below, walking);
  for (let i = 0; i < value.length; i += 1) {
    const member: unknown = value[i];
    if (Array.isArray(member)) return false;
    if (typeof member === "object" && member !== null && !visit(member, below, walking)) return false;
  }
  return true;
}

function deliver(edge: Edge, value: unknown, { sink, event }: Walking): boolean {
  const { field, route } = edge;
  if (!field) return true;
  if (field.event !== event) {
    begin(field, event, route);
    sink.onField(field);
  } else if (field.route !== route) return false;
  if (!Array.isArray(value)) {
    put(field, value, sink);
    return true;
  }
  for (let i = 0; i < value.length; i += 1) {
    const member: unknown = value[i];
    if (Array.isArray(member)) return false;
    put(field, member, sink);
  }
  return true;
}

function learn(branch: Branch, key: string): Edge | undefined {
  if (branch.idle >= mostIdle) return undefined;
  branch.idle += 1;
  return edgeOf(branch, key);
}

/** Reads one field by the definition. */
export function createLateReader(field: Field): (fields: object, event: number) => void {
  const read = compileField(field.name);
  return (fields, event) => {
    const { present, values } = read(fields);
    if (!present) return;
    begin(field, event, 0);
    for (const value of values) {
      if (value === null) field.hasNull = true;
      else if (value !== undefined) add(field, value);
    }
  };
}

function put(field: Field, value: unknown, sink: Sink): void {
  if (value === null) field.hasNull = true;
  else if (value !== undefined) sink.onValue(add(field, value));
}

interface Reader {
  readonly field: Field;
  readonly read: ReturnType<typeof compileField>;
}

function readPlainly(
  readers: readonly Reader[],
  event: object,
  { number, sink }: { readonly number: number; readonly sink: Sink },
): void {
  for (const { field, read } of readers) {
    const { present, values } = read(event);
    if (!present) continue;
    begin(field, number, 0);
    sink.onField(field);
    for (const value of values) put(field, value, sink);
  }
}
