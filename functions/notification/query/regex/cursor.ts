import type { CharacterSet } from "./characters.ts";

/** Where in an expression the parser is. */
export interface Cursor {
  readonly source: string;
  /** What becomes of each set for the case of the texts it is for. */
  spread: (set: CharacterSet) => CharacterSet;
  at: number;
  depth: number;
  /** What `.` stands for. */
  dot: CharacterSet;
}

/** What is wrong with an expression; positions are within it. */
export class RegexProblem extends Error {
  readonly position: number;
  readonly length: number;
  readonly expected: string;

  constructor(position: number, length: number, expected: string) {
    super(`expected ${expected}`);
    this.name = "RegexProblem";
    this.position = position;
    this.length = length;
    this.expected = expected;
  }
}

/** Refuses what stands at the cursor. */
export function refuse({ source, at }: Cursor, expected: string, length = 1): never {
  const position = Math.min(at, source.length);
  throw new RegexProblem(position, Math.min(length, source.length - position), expected);
}

export function take(cursor: Cursor, text: string): boolean {
  if (!cursor.source.startsWith(text, cursor.at)) return false;
  cursor.at += text.length;
  return true;
}

/** The code point at the cursor, which goes on behind it. */
export function codePointAt(cursor: Cursor): number {
  const code = cursor.source.codePointAt(cursor.at) ?? 0;
  cursor.at += code > 0xffff ? 2 : 1;
  return code;
}
