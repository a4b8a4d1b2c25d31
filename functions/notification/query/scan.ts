import { QueryError, type Span } from "./error.ts";
import type { Pattern } from "./pattern.ts";

/** Where in a query's text the parser is. */
export interface Cursor {
  readonly text: string;
  at: number;
  terms: number;
  regexes: number;
  depth: number;
}

/** A value as it was written. */
export interface Value extends Span {
  /** What it says, without quotes and escapes. */
  readonly text: string;
  /** The same, cut at each `*` that stands for anything. */
  readonly pattern: Pattern;
  /** Whether any of it was quoted: then it is text, whatever it looks like. */
  readonly isQuoted: boolean;
  /** Where in the query each character of `text` begins, and the end of the last one. */
  readonly offsets: readonly number[];
}

const space = /\s/;

/** Whether the text ends, a blank or a parenthesis stands there. */
function isBoundary({ text }: Cursor, at: number): boolean {
  const char = text[at];
  return char === undefined || char === "(" || char === ")" || space.test(char);
}

export function skipSpace(cursor: Cursor): void {
  while (space.test(cursor.text[cursor.at] ?? "")) cursor.at += 1;
}

export function take(cursor: Cursor, text: string): boolean {
  if (!cursor.text.startsWith(text, cursor.at)) return false;
  cursor.at += text.length;
  return true;
}

/** What stands at the cursor, up to the next boundary, as errors point at it. */
export function wordAt(cursor: Cursor): Span {
  let end = cursor.at;
  while (!isBoundary(cursor, end)) end += 1;
  if (end === cursor.at && end < cursor.text.length) end += 1;
  return { position: cursor.at, length: end - cursor.at };
}

interface Reading {
  text: string;
  pattern: string[];
  isQuoted: boolean;
  readonly offsets: number[];
}

/**
 * Reads a value: words and quoted texts side by side are one, as in a shell. It ends at a blank, at a
 * parenthesis and at the characters in `ends`. Empty when there is none.
 */
export function scanValue(cursor: Cursor, ends = ""): Value {
  const position = cursor.at;
  const reading: Reading = { text: "", pattern: [""], isQuoted: false, offsets: [] };
  while (!isBoundary(cursor, cursor.at) && !ends.includes(cursor.text[cursor.at] ?? "")) {
    if (cursor.text[cursor.at] === '"') scanQuoted(cursor, reading);
    else scanPlain(cursor, reading);
  }
  return finish(cursor, reading, position);
}

/** Reads a regular expression: quoted, or up to a blank or a parenthesis that it did not open. */
export function scanRegex(cursor: Cursor): Value {
  const position = cursor.at;
  const reading: Reading = { text: "", pattern: [""], isQuoted: false, offsets: [] };
  if (cursor.text[position] === '"') {
    scanQuoted(cursor, reading);
    if (isBoundary(cursor, cursor.at)) return finish(cursor, reading, position);
    const expected = "a blank behind the quoted expression; | stands between alternatives";
    throw new QueryError(`"${cursor.text[cursor.at]}"`, wordAt(cursor), { expected });
  }
  for (let depth = 0; cursor.at < cursor.text.length;) {
    const char = cursor.text[cursor.at] ?? "";
    if (space.test(char) || (char === ")" && depth === 0)) break;
    if (char === "(") depth += 1;
    if (char === ")") depth -= 1;
    add(reading, char, cursor.at++);
    // What is escaped counts for nothing.
    if (char === "\\" && !space.test(cursor.text[cursor.at] ?? " ")) {
      add(reading, cursor.text[cursor.at] ?? "", cursor.at++);
    }
  }
  return finish(cursor, reading, position);
}

function finish(cursor: Cursor, { text, pattern, isQuoted, offsets }: Reading, position: number): Value {
  return {
    position,
    length: cursor.at - position,
    text,
    pattern,
    isQuoted,
    offsets: [...offsets, cursor.at],
  };
}

function add(reading: Reading, char: string, at: number): void {
  reading.text += char;
  reading.pattern.push((reading.pattern.pop() ?? "") + char);
  reading.offsets.push(at);
}

function scanPlain(cursor: Cursor, reading: Reading): void {
  const char = cursor.text[cursor.at] ?? "";
  if (char === "*") {
    reading.text += char;
    reading.offsets.push(cursor.at);
    // Two in a row say no more than one.
    if (reading.pattern.length === 1 || reading.pattern.at(-1) !== "") reading.pattern.push("");
    cursor.at += 1;
  } else add(reading, char, cursor.at++);
}

/** The backslash escapes the quote and itself; before anything else it is a backslash. */
function scanQuoted(cursor: Cursor, reading: Reading): void {
  const position = cursor.at++;
  reading.isQuoted = true;
  while (!take(cursor, '"')) {
    if (cursor.at >= cursor.text.length) {
      const span = { position, length: cursor.text.length - position };
      throw new QueryError("Text without an end", span, { expected: 'a closing quote (")' });
    }
    const from = cursor.at;
    const isEscape = cursor.text[from] === "\\" && ['"', "\\"].includes(cursor.text[from + 1] ?? "");
    cursor.at += isEscape ? 2 : 1;
    add(reading, cursor.text[cursor.at - 1] ?? "", from);
  }
}
