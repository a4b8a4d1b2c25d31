import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  Scalar,
  visit,
} from "yaml";

import type { Finding, PathPart, RouteProblem } from "./problem.ts";
import { pathText } from "./problem.ts";

export interface RouteFile {
  readonly file: string;
  readonly text: string;
}

/** A YAML file as plain data, and where in it everything stands. */
export interface RouteDocument {
  readonly file: string;
  /** Undefined when the file is no YAML. */
  readonly value: unknown;
  readonly problems: readonly RouteProblem[];
  /** Says where in the file a finding is; at the nearest thing around it when it is about something missing. */
  readonly locate: (finding: Finding) => RouteProblem;
}

/** Far above any tree of routes that people can oversee. */
const maxCharacters = 1024 * 1024;

/** Reads one YAML document. Never throws: what is wrong is a problem. */
export function readDocument({ file, text }: RouteFile): RouteDocument {
  const lines = new LineCounter();
  if (text.length > maxCharacters) {
    return unread(file, `is longer than ${maxCharacters} characters`);
  }
  try {
    const options = { schema: "core", prettyErrors: false, logLevel: "silent", lineCounter: lines } as const;
    const document = parseDocument(text, { ...options, strict: true });
    const at = (offset: number) => positionAt(lines, offset);
    const [error] = document.errors;
    if (error) {
      return {
        ...unread(file, ""),
        problems: [
          problem(file, at(error.pos[0]), { path: [], message: `This is not YAML: ${error.message}.` }),
        ],
      };
    }
    const circle = findCircle(document);
    if (circle) {
      const message = `The alias *${circle.source} stands inside of what it stands for.`;
      return {
        ...unread(file, ""),
        problems: [problem(file, at(circle.range?.[0] ?? 0), { path: [], message })],
      };
    }
    const locate = (finding: Finding) => problem(file, at(offsetOf(document, finding)), finding);
    return { file, value: document.toJS({ maxAliasCount: 100 }), problems: [], locate };
  } catch (error) {
    return unread(file, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function unread(file: string, reason: string): RouteDocument {
  const start = { line: 1, column: 1 };
  const locate = (finding: Finding) => problem(file, start, finding);
  const problems = [problem(file, start, { path: [], message: `The file ${reason}.` })];
  return { file, value: undefined, problems, locate };
}

interface Position {
  readonly line: number;
  readonly column: number;
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function problem(
  file: string,
  at: Position,
  { path, message, allowed, severity = "error" }: Finding,
): RouteProblem {
  return { severity, file, ...at, path: pathText(path), message, ...(allowed !== undefined && { allowed }) };
}

function findCircle(document: Document.Parsed) {
  let found: { readonly source: string; readonly range?: readonly number[] | null | undefined } | undefined;
  visit(document, {
    Alias(_key, alias, ancestors) {
      const isInside = ancestors.some(
        (node) => isNode(node) && "anchor" in node && node.anchor === alias.source,
      );
      if (!isInside) return undefined;
      found = alias;
      return visit.BREAK;
    },
  });
  return found;
}

/** Where a finding is about: its value, its key, or the nearest thing above that is there. */
function offsetOf(document: Document.Parsed, { path, atKey, offset = 0 }: Finding): number {
  let node: unknown = document.contents;
  let place = startOf(node) ?? 0;
  for (const [index, part] of path.entries()) {
    const { key, value } = childOf(document, node, part);
    const isLast = index === path.length - 1;
    const start = isLast && atKey ? (startOf(key) ?? startOf(value)) : (startOf(value) ?? startOf(key));
    if (start === undefined) return place;
    place = start;
    node = value;
  }
  return place + (offset > 0 ? insideOf(node, offset) : 0);
}

function childOf(
  document: Document.Parsed,
  given: unknown,
  part: PathPart,
): { readonly key?: unknown; readonly value?: unknown } {
  const node = isAlias(given) ? given.resolve(document) : given;
  if (isSeq(node)) return { value: node.items[Number(part)] };
  if (!isMap(node)) return {};
  return node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part)) ?? {};
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

/** Only in a text of one line without escapes is a character as far from its beginning as in the file. */
function insideOf(node: unknown, offset: number): number {
  if (!isScalar(node) || typeof node.value !== "string" || !node.range) return 0;
  const isPlain = node.type === Scalar.PLAIN;
  if (!isPlain && node.type !== Scalar.QUOTE_SINGLE && node.type !== Scalar.QUOTE_DOUBLE) return 0;
  const quotes = isPlain ? 0 : 1;
  const [start, end] = node.range;
  return end - start === node.value.length + 2 * quotes ? offset + quotes : 0;
}
