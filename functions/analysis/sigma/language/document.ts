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

import { anchorsOf } from "./anchors.ts";
import { limits } from "./limits.ts";
import { type Position, RuleError } from "./problem.ts";

export type ScalarValue = string | number | bigint | boolean | null;

export interface ScalarNode {
  readonly kind: "scalar";
  readonly value: ScalarValue;
  readonly at: Position;
  /** A number as it is written, where that is not how JSON writes it (`1.10`, `0x1F`). */
  readonly written?: string | undefined;
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

/**
 * The documents of a YAML stream; empty ones are left out. Dates stay text and integers stay exact (YAML
 * 1.2 core schema, BigInt). A malformed document yields its error and leaves the others alone.
 */
export function parseDocuments(text: string): readonly (Node | RuleError)[] {
  const start = { line: 1, column: 1 };
  if (text.length > limits.fileCharacters) {
    return [invalid(`A file of more than ${limits.fileCharacters} characters`, start)];
  }
  const documents = split(text);
  if (documents.length > limits.documentsPerFile) {
    return [invalid(`More than ${limits.documentsPerFile} documents in one file`, start)];
  }
  return documents.flatMap((part) => parsePart(part));
}

/** A part of a stream and the number of lines before it. */
interface Part {
  readonly text: string;
  readonly linesBefore: number;
}

/**
 * Cuts a stream where `---` begins a line. YAML ends a document there whatever came before, even inside
 * quotes, so a document that is cut short takes no other with it.
 */
function split(text: string): readonly Part[] {
  const parts: Part[] = [];
  let begin = 0;
  let linesBefore = 0;
  for (const { index } of text.matchAll(/(?<=^|\n)---(?=\s|$)/g)) {
    const part = text.slice(begin, index);
    // Comments and directives belong to the document that follows them.
    if (!/^[ \t]*[^\s#%]/m.test(part)) continue;
    parts.push({ text: part, linesBefore });
    linesBefore += linesOf(part);
    begin = index;
  }
  parts.push({ text: text.slice(begin), linesBefore });
  return parts;
}

function linesOf(text: string): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}

function parsePart({ text, linesBefore }: Part): readonly (Node | RuleError)[] {
  const lines = new LineCounter();
  const locate = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1) + linesBefore, column: Math.max(col, 1) };
  };
  try {
    // Duplicate keys are found below: the library compares each key with every other.
    const options = { schema: "core", intAsBigInt: true, prettyErrors: false, uniqueKeys: false } as const;
    const silent = { logLevel: "silent", resolveKnownTags: false, lineCounter: lines } as const;
    const parsed = parseAllDocuments(text, { ...options, ...silent });
    return Array.isArray(parsed) ? parsed.flatMap((document) => readDocument(document, locate) ?? []) : [];
  } catch (error) {
    // Thrown, not reported, only when the nesting exhausts the library's stack.
    const reason = error instanceof Error ? error.message : String(error);
    return [invalid(`This is not YAML: ${reason}`, { line: 1 + linesBefore, column: 1 })];
  }
}

function readDocument(
  document: Document.Parsed,
  locate: (offset: number) => Position,
): Node | RuleError | undefined {
  const [error] = document.errors;
  if (error) return invalid(`This is not YAML: ${error.message}`, locate(error.pos[0]));
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
  let targets: ReturnType<typeof anchorsOf> | undefined;
  let nodes = 0;
  let at = locate(document.range[0]);
  return read;

  function read(node: unknown, depth: number): Node {
    nodes += 1;
    if (nodes > limits.nodesPerDocument)
      throw invalid(`More than ${limits.nodesPerDocument} values in one document`, at);
    if (depth > limits.nesting) throw invalid(`Nested deeper than ${limits.nesting} levels`, at);
    const here = positionOf(node) ?? at;
    at = here;
    if (isAlias(node)) {
      targets ??= anchorsOf(document.contents);
      const target = targets.get(node);
      if (target === undefined) throw invalid(`No anchor '${node.source}' stands before this alias`, at);
      return read(target, depth + 1);
    }
    if (isScalar(node)) return readScalar(node, here);
    if (isSeq(node))
      return { kind: "list", items: node.items.map((item) => read(item, depth + 1)), at: here };
    if (isMap(node)) {
      const seen = new Set<string>();
      return { kind: "map", entries: node.items.map((pair) => entry(pair, depth + 1, seen)), at: here };
    }
    return { kind: "scalar", value: null, at: here };
  }

  function entry({ key, value }: Pair, depth: number, seen: Set<string>): MapEntry {
    const keyAt = positionOf(key) ?? at;
    at = keyAt;
    if (!isScalar(key)) throw invalid("A key must be a plain text", at);
    const name = textOf(scalarOf(key.value)) ?? "";
    if (name === "<<") throw invalid("Merge keys ('<<') are not part of YAML 1.2", at);
    if (seen.has(name)) throw invalid(`The key '${name}' is given twice`, at);
    seen.add(name);
    return { key: name, keyAt, value: read(value, depth) };
  }

  function positionOf(node: unknown): Position | undefined {
    return isNode(node) && node.range ? locate(node.range[0]) : undefined;
  }
}

interface Pair {
  readonly key: unknown;
  readonly value: unknown;
}

function invalid(message: string, at: Position): RuleError {
  return new RuleError("RULE_YAML_INVALID", `${message}.`, at);
}

function readScalar(node: Scalar, at: Position): ScalarNode {
  const value = scalarOf(node.value);
  if (typeof value === "string") return { kind: "scalar", value, at, ...textPosition(node, at) };
  const isNumber = typeof value === "number" || typeof value === "bigint";
  const other = isNumber && node.source !== undefined && node.source !== String(value);
  return { kind: "scalar", value, at, ...(other && { written: node.source }) };
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
