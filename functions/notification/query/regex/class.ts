import { type CharacterSet, complementOf, escapedClasses, namedClasses, setOf } from "./characters.ts";
import { codePointAt, type Cursor, refuse, take } from "./cursor.ts";

const controls: Readonly<Record<string, number>> = { a: 7, t: 9, n: 10, v: 11, f: 12, r: 13 };

/** What a member of a class stands for; `code` where it is one character. */
interface Member {
  readonly set: CharacterSet;
  readonly code?: number;
}

function toMember(code: number): Member {
  return { set: [[code, code]], code };
}

/** Reads the escape at the cursor: one character, or a class such as `\d`. */
export function parseEscape(cursor: Cursor): Member {
  const { source, at } = cursor;
  const char = source[at + 1] ?? "";
  const set = Object.hasOwn(escapedClasses, char) ? escapedClasses[char] : undefined;
  const control = Object.hasOwn(controls, char) ? controls[char] : undefined;
  cursor.at += 2;
  if (set) return { set };
  if (control !== undefined) return toMember(control);
  if (/^[!-/:-@[-`{-~]$/.test(char)) return toMember(char.charCodeAt(0));
  if (char === "x") return parseHex(cursor, at);
  return refuse(
    { ...cursor, at },
    String.raw`\d, \w, \s, \t, \n, \r, \x7F or a punctuation mark; references and \b are not known`,
    2,
  );
}

function parseHex(cursor: Cursor, at: number): Member {
  const hex = /^(?:([\da-fA-F]{2})|\{([\da-fA-F]{1,6})\})/.exec(
    cursor.source.slice(cursor.at, cursor.at + 8),
  );
  const code = Number.parseInt(hex?.[1] ?? hex?.[2] ?? "", 16);
  const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  if (!isCharacter) refuse({ ...cursor, at }, String.raw`\x7F or \x{1F600}`, 2);
  cursor.at += hex?.[0].length ?? 0;
  return toMember(code);
}

/** Reads the class at the cursor. Folded before it is negated: `[^A]` is nothing that `a` fits. */
export function parseClass(cursor: Cursor): CharacterSet {
  const from = cursor.at;
  cursor.at += 1;
  const isNegated = take(cursor, "^");
  const ranges: (readonly [number, number])[] = [];
  for (let isFirst = true; isFirst || cursor.source[cursor.at] !== "]"; isFirst = false) {
    if (cursor.at >= cursor.source.length) refuse({ ...cursor, at: from }, "a closing bracket for this one");
    ranges.push(...parseMember(cursor));
  }
  cursor.at += 1;
  const set = cursor.spread(setOf(ranges));
  const members = isNegated ? complementOf(set) : set;
  if (members.length === 0)
    refuse({ ...cursor, at: from }, "a class that some character is in", cursor.at - from);
  return members;
}

/** A character, a class within the class, or a range. */
function parseMember(cursor: Cursor): CharacterSet {
  const from = cursor.at;
  const named = /^\[:(\w+):\]/.exec(cursor.source.slice(cursor.at, cursor.at + 16));
  if (named) {
    const set = Object.hasOwn(namedClasses, named[1] ?? "") ? namedClasses[named[1] ?? ""] : undefined;
    if (!set) return refuse(cursor, `one of ${Object.keys(namedClasses).join(", ")}`, named[0].length);
    cursor.at += named[0].length;
    return set;
  }
  const low = parseOne(cursor);
  const isRange = cursor.source[cursor.at] === "-" && cursor.source[cursor.at + 1] !== "]";
  if (!isRange) return low.set;
  cursor.at += 1;
  if (cursor.at >= cursor.source.length) refuse({ ...cursor, at: from }, "an end of the range");
  const high = parseOne(cursor);
  if (low.code === undefined || high.code === undefined || low.code > high.code) {
    return refuse(
      { ...cursor, at: from },
      String.raw`a range from a lesser character to a greater one; write \- for the character`,
      cursor.at - from,
    );
  }
  return [[low.code, high.code]];
}

function parseOne(cursor: Cursor): Member {
  return cursor.source[cursor.at] === "\\" ? parseEscape(cursor) : toMember(codePointAt(cursor));
}
