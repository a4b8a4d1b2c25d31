import type { Pattern, PatternPart } from "../language/expression.ts";
import { fold, foldPattern, literalOf } from "../language/pattern.ts";

/** Answers whether a text of the event matches; it is given as it stands there, and folded (`fold`). */
export type TextMatcher = (text: string, folded: string) => boolean;

/** Compiles a pattern, so that matching needs no parsing. The whole text must match. */
export function compilePattern(pattern: Pattern, cased: boolean): TextMatcher {
  if (cased) {
    const match = compileParts(pattern, (text) => text);
    return (text) => match(text, text);
  }
  return compileParts(foldPattern(pattern), fold);
}

function compileParts(parts: Pattern, prepare: (text: string) => string): TextMatcher {
  const simple = compileSimple(parts);
  if (simple) return (_, prepared) => simple(prepared);
  if (!parts.includes("one")) return (_, prepared) => matchParts(parts, prepared, nextUnit);
  return (text, prepared) => matchParts(parts, prepared, nextCharacter(text, prepare));
}

type StringTest = (text: string) => boolean;

/** Patterns that one of the string's own methods decides. */
function compileSimple(parts: Pattern): StringTest | undefined {
  const [first, second, third] = parts;
  const literal = literalOf(parts);
  if (literal !== undefined) return (text) => text === literal;
  if (parts.length === 1) return first === "many" ? () => true : undefined;
  if (parts.length === 2 && typeof first === "object" && second === "many") {
    return (text) => text.startsWith(first.literal);
  }
  if (first !== "many" || typeof second !== "object") return undefined;
  if (parts.length === 2) return (text) => text.endsWith(second.literal);
  return parts.length === 3 && third === "many" ? (text) => text.includes(second.literal) : undefined;
}

/** The index after the character at `index` of a prepared text; -1 inside a character. */
type Next = (index: number) => number;
const nextUnit: Next = (index) => index + 1;

/**
 * Steps over whole characters. Folding may change a character's length (`İ` becomes two), so the
 * boundaries are taken from the original text; plain ASCII needs none.
 */
function nextCharacter(original: string, prepare: (text: string) => string): Next {
  if (isAscii(original)) return nextUnit;
  const after = new Map<number, number>();
  let index = 0;
  for (const character of original) {
    const end = index + prepare(character).length;
    after.set(index, end);
    index = end;
  }
  return (at) => after.get(at) ?? -1;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 127) return false;
  return true;
}

/**
 * Matches without backtracking further than the last `many`: once the parts between two of them are
 * found, finding them later cannot help the rest. Time is bounded by text length times pattern length.
 */
function matchParts(parts: Pattern, text: string, next: Next): boolean {
  let part = 0;
  let index = 0;
  let retryPart = -1;
  let retryIndex = 0;
  for (;;) {
    const current = parts[part];
    if (current === undefined && index === text.length) return true;
    if (current === "many") {
      part += 1;
      retryPart = part;
      retryIndex = index;
      continue;
    }
    const after = current === undefined ? -1 : step(current, text, { index, next });
    if (after >= 0) {
      part += 1;
      index = after;
      continue;
    }
    if (retryPart < 0 || retryIndex >= text.length) return false;
    retryIndex = nextStart(parts[retryPart], text, retryIndex + 1);
    if (retryIndex < 0) return false;
    part = retryPart;
    index = retryIndex;
  }
}

function step(part: PatternPart, text: string, at: { readonly index: number; readonly next: Next }): number {
  if (typeof part === "object") {
    return text.startsWith(part.literal, at.index) ? at.index + part.literal.length : -1;
  }
  return at.index < text.length ? at.next(at.index) : -1;
}

/** Where the part after a `many` may begin, from `from` on; -1 when nowhere. */
function nextStart(part: PatternPart | undefined, text: string, from: number): number {
  return typeof part === "object" ? text.indexOf(part.literal, from) : from;
}
