import { anything, type CharacterSet, foldSet, notNewline, setOf, spreadSet } from "./characters.ts";
import { parseClass, parseEscape } from "./class.ts";
import { codePointAt, type Cursor, refuse, take } from "./cursor.ts";
import { gapsOf, isAnchored, type RegexNode, sizeOf } from "./node.ts";

/** Groups within groups. */
const deepest = 20;
/** PostgreSQL counts no further. */
const mostRepeats = 255;
/**
 * States of the engine: where parts may be missing or go on, PostgreSQL's time to compile grows with the
 * cube of their number. Within these limits it is about 0.1 s; 900 states with 40 such parts took 3 s.
 */
const largest = { plain: 1000, withGaps: 300 } as const;
const mostGaps = 40;

/**
 * Reads a regular expression of what RE2 and PostgreSQL have in common. Throws RegexProblem for what is no
 * expression, for what the two understand differently, and for what is too large. Folded, it fits texts
 * without capitals.
 */
export function parseRegex(source: string, isFolded: boolean): RegexNode {
  const cursor: Cursor = { source, spread: isFolded ? foldSet : setOf, at: 0, depth: 0, dot: notNewline };
  const flags = /^\(\?([is]+)\)/.exec(source);
  if (flags) {
    cursor.at = flags[0].length;
    if (flags[1]?.includes("s")) cursor.dot = anything;
    if (flags[1]?.includes("i") && !isFolded) cursor.spread = spreadSet;
  }
  const node = parseChoice(cursor);
  if (cursor.at < source.length) refuse(cursor, "no closing parenthesis without an opening one");
  checkCost(cursor, node);
  return node;
}

function checkCost(cursor: Cursor, node: RegexNode): void {
  const whole = { ...cursor, at: 0 };
  const { length } = cursor.source;
  const gaps = gapsOf(node);
  if (gaps > mostGaps) {
    refuse(whole, `at most ${mostGaps} parts with *, + or ?, repetitions counted`, length);
  }
  if (sizeOf(node) > (gaps > 1 ? largest.withGaps : largest.plain)) {
    refuse(whole, "fewer or shorter repetitions", length);
  }
}

function parseChoice(cursor: Cursor): RegexNode {
  cursor.depth += 1;
  if (cursor.depth > deepest) refuse(cursor, `at most ${deepest} groups within one another`);
  const branches = [parseSequence(cursor)];
  while (take(cursor, "|")) branches.push(parseSequence(cursor));
  cursor.depth -= 1;
  const [only] = branches;
  return branches.length === 1 && only ? only : { kind: "choice", of: branches };
}

function parseSequence(cursor: Cursor): RegexNode {
  const parts: RegexNode[] = [];
  while (cursor.at < cursor.source.length && !"|)".includes(cursor.source[cursor.at] ?? "")) {
    parts.push(parseRepeat(cursor));
  }
  const [only] = parts;
  return parts.length === 1 && only ? only : { kind: "sequence", of: parts };
}

function parseRepeat(cursor: Cursor): RegexNode {
  const from = cursor.at;
  const of = parseAtom(cursor);
  const behind = cursor.at;
  const bounds = parseQuantifier(cursor);
  if (!bounds) return of;
  // Greed decides what is found, not whether.
  take(cursor, "?");
  if (/^[*+?{]/.test(cursor.source.slice(cursor.at)))
    refuse(cursor, "no second repetition; group what is to be repeated");
  if (isAnchored(of)) refuse({ ...cursor, at: from }, "no ^ or $ in what is repeated", behind - from);
  return { kind: "repeat", of, ...bounds };
}

type Bounds = Pick<RegexNode & { readonly kind: "repeat" }, "min" | "max">;

function parseQuantifier(cursor: Cursor): Bounds | undefined {
  if (take(cursor, "*")) return { min: 0, max: Infinity };
  if (take(cursor, "+")) return { min: 1, max: Infinity };
  if (take(cursor, "?")) return { min: 0, max: 1 };
  if (cursor.source[cursor.at] !== "{") return undefined;
  const counted = /^\{(\d{1,4})(,?)(\d{0,4})\}/.exec(cursor.source.slice(cursor.at));
  if (!counted || (counted[2] === "" && counted[3] !== "")) {
    return refuse(cursor, String.raw`{n}, {n,} or {n,m}; write \{ for the character`);
  }
  const min = Number(counted[1]);
  const max = counted[2] === "" ? min : counted[3] === "" ? Infinity : Number(counted[3]);
  const isBounded = min <= mostRepeats && (max === Infinity || max <= mostRepeats);
  if (!isBounded || min > max)
    refuse(cursor, `bounds from 0 to ${mostRepeats}, the lesser one first`, counted[0].length);
  cursor.at += counted[0].length;
  return { min, max };
}

function parseAtom(cursor: Cursor): RegexNode {
  const char = cursor.source[cursor.at] ?? "";
  switch (char) {
    case "(":
      return parseGroup(cursor);
    case "^":
    case "$":
      cursor.at += 1;
      return { kind: char === "^" ? "start" : "end" };
    case "*":
    case "+":
    case "?":
    case "{":
      return refuse(cursor, String.raw`something to repeat before it; write \${char} for the character`);
    case "\\":
      if (take(cursor, "\\A")) return { kind: "start" };
      if (take(cursor, "\\z")) return { kind: "end" };
      return toSet(cursor, parseEscape(cursor).set);
    case "[":
      return { kind: "set", set: parseClass(cursor) };
    case ".":
      cursor.at += 1;
      return { kind: "set", set: cursor.dot };
    default: {
      const code = codePointAt(cursor);
      return toSet(cursor, [[code, code]]);
    }
  }
}

function toSet({ spread }: Cursor, set: CharacterSet): RegexNode {
  return { kind: "set", set: spread(set) };
}

function parseGroup(cursor: Cursor): RegexNode {
  const from = cursor.at;
  const head = /^\((?:\?(?::|P?<[A-Za-z_]\w*>))?/.exec(cursor.source.slice(cursor.at, cursor.at + 64));
  cursor.at += head?.[0].length ?? 1;
  if (cursor.source[cursor.at] === "?") {
    refuse(
      { ...cursor, at: from },
      "a plain group; there is no lookaround, and (?i) or (?s) stands at the beginning",
      3,
    );
  }
  const inner = parseChoice(cursor);
  if (!take(cursor, ")")) refuse({ ...cursor, at: from }, "a closing parenthesis for this one");
  return inner;
}
