import { writeSet } from "./characters.ts";
import type { RegexNode } from "./node.ts";
import { parseRegex } from "./syntax.ts";

/** One expression for both engines. */
export interface CommonRegex {
  /** As it was written. */
  readonly source: string;
  /** Whether it must fit the whole text rather than be found in it. */
  readonly whole: boolean;
  readonly re2: string;
  readonly postgres: string;
}

export interface RegexOptions {
  readonly whole: boolean;
  /** For texts whose A to Z were made small. */
  readonly isFolded: boolean;
}

/**
 * Reads a regular expression and writes it for both engines, each character by its number, so that nothing
 * in it can mean something else there. Throws RegexProblem.
 */
export function toCommonRegex(source: string, { whole, isFolded }: RegexOptions): CommonRegex {
  const parsed = parseRegex(source, isFolded);
  const node: RegexNode = whole
    ? { kind: "sequence", of: [{ kind: "start" }, parsed, { kind: "end" }] }
    : parsed;
  return { source, whole, re2: write(node, re2), postgres: `***:${write(node, postgres)}` };
}

interface Dialect {
  readonly start: string;
  readonly end: string;
  readonly character: (codePoint: number) => string;
}

const re2: Dialect = {
  start: "\\A",
  end: "\\z",
  character: (code) => (isPlain(code) ? String.fromCharCode(code) : `\\x{${code.toString(16)}}`),
};

const postgres: Dialect = {
  start: "^",
  end: "$",
  character: (code) =>
    isPlain(code) ? String.fromCharCode(code) : `\\U${code.toString(16).padStart(8, "0")}`,
};

function isPlain(code: number): boolean {
  return /^[A-Za-z0-9_]$/.test(String.fromCharCode(code));
}

function write(node: RegexNode, dialect: Dialect): string {
  switch (node.kind) {
    case "set":
      return writeSet(node.set, dialect.character);
    case "sequence":
      return `(?:${node.of.map((part) => write(part, dialect)).join("")})`;
    case "choice":
      return `(?:${node.of.map((part) => write(part, dialect)).join("|")})`;
    case "repeat":
      return `(?:${write(node.of, dialect)})${writeBounds(node.min, node.max)}`;
    case "start":
    case "end":
      return dialect[node.kind];
    default:
      return node satisfies never;
  }
}

function writeBounds(min: number, max: number): string {
  if (max === Infinity) return min < 2 ? (min === 0 ? "*" : "+") : `{${min},}`;
  return min === 0 && max === 1 ? "?" : `{${min},${max}}`;
}
