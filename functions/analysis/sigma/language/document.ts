import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  Scalar,
} from "yaml";

import { type Position, RuleError } from "./problem.ts";

export type ScalarValue = string | number | bigint | boolean | null;

export interface ScalarNode {
  readonly kind: "scalar";
  readonly value: ScalarValue;
  readonly at: Position;
  /** Where the first character of a one-line text stands, to point into it; absent for block texts. */
  readonly textAt?: Position | undefined;
}
export interface ListNode {
  readonly kind: "list";
  readonly items: readonly Node[];
  readonly at: Position;
}
export interface MapEntry {
  readonly key: string;
  readonly keyAt: Position;
  readonly value: Node;
}
export interface MapNode {
  readonly kind: "map";
  readonly entries: readonly MapEntry[];
  readonly at: Position;
}
/** YAML as plain data that knows where it was written; aliases are resolved. */
export type Node = ScalarNode | ListNode | MapNode;

/** Deeper documents are refused: no rule needs it, and a reader must not overflow the stack. */
const maxDepth = 64;
/** Nodes of one document after aliases are resolved; the largest published rule has about 5,000. */
const maxNodes = 200_000;

/**
 * The documents of a YAML stream. Dates stay text and integers stay exact (YAML 1.2 core schema, BigInt).
 * A malformed document yields its error and leaves the others alone.
 */
export function parseDocuments(text: string): readonly (Node | RuleError)[] {
  const lines = new LineCounter();
  const locate = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  let documents: readonly Document.Parsed[];
  try {
    const options = { schema: "core", intAsBigInt: true, prettyErrors: false, logLevel: "silent" } as const;
    const parsed = parseAllDocuments(text, { ...options, resolveKnownTags: false, lineCounter: lines });
    documents = Array.isArray(parsed) ? parsed : [];
  } catch (error) {
    // Thrown, not reported, only when the nesting exhausts the library's stack.
    const reason = error instanceof Error ? error.message : String(error);
    return [new RuleError("RULE_YAML_INVALID", `This is not YAML: ${reason}.`, { line: 1, column: 1 })];
  }
  return documents.flatMap((document) => readDocument(document, locate) ?? []);
}

function readDocument(
  document: Document.Parsed,
  locate: (offset: number) => Position,
): Node | RuleError | undefined {
  const [error] = document.errors;
  if (error) {
    return new RuleError("RULE_YAML_INVALID", `This is not YAML: ${error.message}.`, locate(error.pos[0]));
  }
  if (document.contents === null) return undefined;
  try {
    const root = createReader(document, locate)(document.contents, 0);
    return root.kind === "scalar" && root.value === null ? undefined : root;
  } catch (error) {
    if (error instanceof RuleError) return error;
    throw error;
  }
}

function createReader(document: Document.Parsed, locate: (offset: number) => Position) {
  let nodes = 0;
  let at: Position = { line: 1, column: 1 };
  return read;

  function read(node: unknown, depth: number): Node {
    nodes += 1;
    if (nodes > maxNodes) throw refuse(`More than ${maxNodes} values in one document`);
    if (depth > maxDepth) throw refuse(`Nested deeper than ${maxDepth} levels`);
    if (isAlias(node)) return read(node.resolve(document), depth + 1);
    const here = positionOf(node) ?? at;
    at = here;
    if (isScalar(node))
      return { kind: "scalar", value: scalarOf(node.value), at: here, ...textPosition(node, here) };
    if (isSeq(node))
      return { kind: "list", items: node.items.map((item) => read(item, depth + 1)), at: here };
    if (isMap(node))
      return { kind: "map", entries: node.items.map((pair) => entry(pair, depth + 1)), at: here };
    return { kind: "scalar", value: null, at: here };
  }

  function entry(
    { key, value }: { readonly key: unknown; readonly value: unknown },
    depth: number,
  ): MapEntry {
    const keyAt = positionOf(key) ?? at;
    at = keyAt;
    if (!isScalar(key)) throw refuse("A key must be a plain text");
    const name = textOf(scalarOf(key.value)) ?? "";
    if (name === "<<") throw refuse("Merge keys ('<<') are not part of YAML 1.2");
    return { key: name, keyAt, value: read(value, depth) };
  }

  function refuse(message: string): RuleError {
    return new RuleError("RULE_YAML_INVALID", `${message}.`, at);
  }

  function positionOf(node: unknown): Position | undefined {
    return isNode(node) && node.range ? locate(node.range[0]) : undefined;
  }
}

function scalarOf(value: unknown): ScalarValue {
  const isValue =
    typeof value === "string" ||
    typeof value === "number" ||
    typeof value === "bigint" ||
    typeof value === "boolean";
  return isValue ? value : null;
}

/** Only where a character of the value is at the same distance in the source can we point into the text. */
function textPosition({ type, source }: Scalar, { line, column }: Position): { textAt?: Position } {
  if (source === undefined || source.includes("\n")) return {};
  if (type === Scalar.PLAIN) return { textAt: { line, column } };
  const quoted = type === Scalar.QUOTE_SINGLE || type === Scalar.QUOTE_DOUBLE;
  return quoted ? { textAt: { line, column: column + 1 } } : {};
}

/** The value of a key of a map, or `undefined`. */
export function entryOf(map: MapNode, key: string): MapEntry | undefined {
  return map.entries.find((entry) => entry.key === key);
}

/** A node as plain data; integers beyond the safe range become text, so that no digit is lost. */
export function toPlain(node: Node): unknown {
  if (node.kind === "list") return node.items.map(toPlain);
  if (node.kind === "map")
    return Object.fromEntries(node.entries.map(({ key, value }) => [key, toPlain(value)]));
  if (typeof node.value !== "bigint") return node.value;
  const number = Number(node.value);
  return Number.isSafeInteger(number) ? number : String(node.value);
}

/** A scalar as text; `undefined` for null. */
export function textOf(value: ScalarValue): string | undefined {
  return value === null ? undefined : String(value);
}
