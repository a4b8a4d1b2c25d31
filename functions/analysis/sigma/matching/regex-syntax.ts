/** Characters from 0 to 127, one bit each: what a class holds of ASCII. */
export type AsciiSet = bigint;

/** A regular expression as far as it concerns ASCII text. */
export type Regex =
  | { readonly kind: "set"; readonly set: AsciiSet }
  | { readonly kind: "sequence" | "choice"; readonly of: readonly Regex[] }
  | { readonly kind: "repeat"; readonly of: Regex; readonly min: number; readonly max: number }
  | { readonly kind: "assert"; readonly what: Assertion };
export type Assertion = "text-start" | "text-end" | "line-start" | "line-end" | "word" | "no-word";

const all: AsciiSet = (1n << 128n) - 1n;

export function bit(code: number): AsciiSet {
  return 1n << BigInt(code);
}

function range(from: string, to: string): AsciiSet {
  return (bit(to.charCodeAt(0) + 1) - 1n) & ~(bit(from.charCodeAt(0)) - 1n);
}

const digits = range("0", "9");
const wordCharacters = digits | range("A", "Z") | range("a", "z") | bit(0x5f);
/** RE2's `\s`: not the vertical tab. */
const blanks = bit(9) | bit(10) | bit(12) | bit(13) | bit(32);

const classes: Readonly<Record<string, AsciiSet>> = {
  d: digits,
  D: all & ~digits,
  w: wordCharacters,
  W: all & ~wordCharacters,
  s: blanks,
  S: all & ~blanks,
};
const controls: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };
const assertions: Readonly<Record<string, Assertion>> = {
  b: "word",
  B: "no-word",
  A: "text-start",
  z: "text-end",
};

/** Thrown for whatever is not read here; such an expression is left to RE2 altogether. */
class Unread extends Error {}

/** Nested deeper than this an expression is not read. */
const deepest = 50;

/**
 * Reads an expression in RE2's syntax. `undefined` for what need not be read because it is rare (Unicode
 * classes, POSIX classes, quoting): what is read means on ASCII text exactly what RE2 says it means.
 */
export function parseRegex(source: string, flags: string): Regex | undefined {
  try {
    const cursor: Cursor = { source, at: 0, depth: 0 };
    const regex = parseChoice(cursor, flags);
    return cursor.at < source.length ? undefined : regex;
  } catch (error) {
    if (error instanceof Unread) return undefined;
    throw error;
  }
}

/** Where in an expression the parser is. */
interface Cursor {
  readonly source: string;
  at: number;
  depth: number;
}

function take(cursor: Cursor, text: string): boolean {
  if (!cursor.source.startsWith(text, cursor.at)) return false;
  cursor.at += text.length;
  return true;
}

function parseChoice(cursor: Cursor, outer: string): Regex {
  cursor.depth += 1;
  if (cursor.depth > deepest) throw new Unread();
  let flags = outer;
  const branches: Regex[] = [];
  let branch: Regex[] = [];
  while (cursor.at < cursor.source.length && cursor.source[cursor.at] !== ")") {
    if (take(cursor, "|")) {
      branches.push(sequenceOf(branch));
      branch = [];
      continue;
    }
    // `(?i)` holds up to the end of the group it stands in, over `|`.
    const inline = /^\(\?([ims]*)(?:-([ims]+))?\)/.exec(cursor.source.slice(cursor.at, cursor.at + 10));
    if (inline) {
      flags = changeFlags(flags, inline[1], inline[2]);
      cursor.at += inline[0].length;
    } else branch.push(parseRepeat(cursor, parseAtom(cursor, flags)));
  }
  branches.push(sequenceOf(branch));
  cursor.depth -= 1;
  return branches.length === 1 && branches[0] ? branches[0] : { kind: "choice", of: branches };
}

function parseRepeat(cursor: Cursor, of: Regex): Regex {
  const [min, max] = parseQuantifier(cursor);
  if (max === undefined) return of;
  // Greed decides what is found, not whether.
  take(cursor, "?");
  if (/^[*+?]|^\{\d/.test(cursor.source.slice(cursor.at, cursor.at + 2))) throw new Unread();
  if (of.kind === "assert") throw new Unread();
  return { kind: "repeat", of, min, max };
}

function parseQuantifier(cursor: Cursor): readonly [number, number | undefined] {
  if (take(cursor, "*")) return [0, Number.POSITIVE_INFINITY];
  if (take(cursor, "+")) return [1, Number.POSITIVE_INFINITY];
  if (take(cursor, "?")) return [0, 1];
  const counted = /^\{(\d+)(,?)(\d*)\}/.exec(cursor.source.slice(cursor.at, cursor.at + 12));
  if (!counted) return [1, undefined];
  cursor.at += counted[0].length;
  const min = Number(counted[1]);
  if (counted[2] === "") return [min, min];
  return [min, counted[3] === "" ? Number.POSITIVE_INFINITY : Number(counted[3])];
}

function parseAtom(cursor: Cursor, flags: string): Regex {
  const char = next(cursor);
  switch (char) {
    case "(":
      return parseGroup(cursor, flags);
    case "[":
      return { kind: "set", set: parseClass(cursor, flags) };
    case ".":
      return { kind: "set", set: flags.includes("s") ? all : all & ~bit(10) };
    case "^":
      return { kind: "assert", what: flags.includes("m") ? "line-start" : "text-start" };
    case "$":
      return { kind: "assert", what: flags.includes("m") ? "line-end" : "text-end" };
    case "*":
    case "+":
    case "?":
      throw new Unread();
    case "{":
      // With nothing before it to be repeated (`(?i){2}`), RE2 repeats what came before that.
      if (/^\d+(?:,\d*)?\}/.test(cursor.source.slice(cursor.at, cursor.at + 12))) throw new Unread();
      return { kind: "set", set: setOf(char, flags) };
    case "\\": {
      const assertion = assertions[cursor.source[cursor.at] ?? ""];
      if (assertion === undefined) return { kind: "set", set: parseEscape(cursor, flags) };
      cursor.at += 1;
      return { kind: "assert", what: assertion };
    }
    default:
      return { kind: "set", set: withCase(setOf(char, flags), flags) };
  }
}

function parseGroup(cursor: Cursor, flags: string): Regex {
  const head = /^\?(?:(?:P?<\w+>)|([ims]*)(?:-([ims]+))?:)/.exec(
    cursor.source.slice(cursor.at, cursor.at + 64),
  );
  if (head) cursor.at += head[0].length;
  else if (cursor.source[cursor.at] === "?") throw new Unread();
  const inner = parseChoice(cursor, changeFlags(flags, head?.[1], head?.[2]));
  if (!take(cursor, ")")) throw new Unread();
  return inner;
}

function parseClass(cursor: Cursor, flags: string): AsciiSet {
  const negated = take(cursor, "^");
  let set: AsciiSet = 0n;
  for (let first = true; first || cursor.source[cursor.at] !== "]"; first = false) {
    const [from, low] = parseMember(cursor, flags);
    if (cursor.source[cursor.at] === "-" && cursor.source[cursor.at + 1] !== "]" && low !== undefined) {
      cursor.at += 1;
      const high = parseMember(cursor, flags)[1];
      if (high === undefined || high < low) throw new Unread();
      set |= (bit(high + 1) - 1n) & ~(bit(low) - 1n);
    } else set |= from;
  }
  cursor.at += 1;
  const cased = withCase(set, flags);
  return negated ? all & ~cased : cased;
}

/** A member of a class, and its code where it is one character that a range may begin or end with. */
function parseMember(cursor: Cursor, flags: string): readonly [AsciiSet, number | undefined] {
  const char = next(cursor);
  if (char === "[" && cursor.source[cursor.at] === ":") throw new Unread();
  const set = char === "\\" ? parseEscape(cursor, flags) : setOf(char, flags);
  const single = set !== 0n && (set & (set - 1n)) === 0n;
  return [set, single ? set.toString(2).length - 1 : undefined];
}

function parseEscape(cursor: Cursor, flags: string): AsciiSet {
  const char = next(cursor);
  const named = classes[char];
  if (named !== undefined) return named;
  const control = controls[char];
  if (control !== undefined) return bit(control);
  if (char === "x") {
    const hex = /^(?:([\da-fA-F]{2})|\{([\da-fA-F]{1,6})\})/.exec(
      cursor.source.slice(cursor.at, cursor.at + 8),
    );
    if (!hex) throw new Unread();
    cursor.at += hex[0].length;
    return withCase(setOf(String.fromCodePoint(Number.parseInt(hex[1] ?? hex[2] ?? "", 16)), flags), flags);
  }
  if (/[\da-zA-Z]/.test(char)) throw new Unread();
  return setOf(char, flags);
}

function next(cursor: Cursor): string {
  const char = cursor.source.charAt(cursor.at);
  if (char === "") throw new Unread();
  cursor.at += 1;
  return char;
}

function sequenceOf(of: readonly Regex[]): Regex {
  const [only] = of;
  return only && of.length === 1 ? only : { kind: "sequence", of };
}

/** A character beyond ASCII is nowhere in ASCII text, unless case folding leads there (`K` as kelvin). */
function setOf(char: string, flags: string): AsciiSet {
  const code = char.charCodeAt(0);
  if (code <= 127) return bit(code);
  if (flags.includes("i")) throw new Unread();
  return 0n;
}

const upper = range("A", "Z");
const lower = range("a", "z");

function withCase(set: AsciiSet, flags: string): AsciiSet {
  return flags.includes("i") ? set | ((set & upper) << 32n) | ((set & lower) >> 32n) : set;
}

function changeFlags(flags: string, added = "", removed = ""): string {
  return [...new Set(flags + added)].filter((flag) => !removed.includes(flag)).join("");
}
