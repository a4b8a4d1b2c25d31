import type { Pattern, PatternPart } from "./expression.ts";

/**
 * Reads a Sigma string: `*` is any length, `?` exactly one character; `\*`, `\?` and `\\` stand for the
 * character itself, and a backslash before anything else is a backslash. Decided once, left to right, so
 * that `\\*` is a backslash and a wildcard, and `\temp\` keeps both of its backslashes.
 */
export function parsePattern(text: string): Pattern {
  const parts: PatternPart[] = [];
  let literal = "";
  const flush = () => {
    if (literal !== "") parts.push({ literal });
    literal = "";
  };
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charAt(i);
    const next = text.charAt(i + 1);
    if (char === "\\" && (next === "*" || next === "?" || next === "\\")) {
      literal += next;
      i += 1;
    } else if (char === "*" || char === "?") {
      flush();
      parts.push(char === "*" ? "many" : "one");
    } else {
      literal += char;
    }
  }
  flush();
  return joinPattern(parts);
}

/** Neighbouring wildcards of any length are one; neighbouring literals too. */
export function joinPattern(parts: readonly PatternPart[]): Pattern {
  const joined: PatternPart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part === "many" && last === "many") continue;
    if (typeof part === "object" && typeof last === "object") {
      joined[joined.length - 1] = { literal: last.literal + part.literal };
    } else joined.push(part);
  }
  return joined;
}

/** The pattern with its letters folded, as it is compared when case does not matter. */
export function foldPattern(pattern: Pattern): Pattern {
  return pattern.map((part) => (typeof part === "object" ? { literal: fold(part.literal) } : part));
}

/**
 * Lower case, character by character: JavaScript's final sigma depends on its neighbours, which would
 * make a value unequal to a part of itself.
 */
export function fold(text: string): string {
  return text.toLowerCase().replaceAll("ς", "σ");
}

/** The text of a pattern without wildcards, else `undefined`. */
export function literalOf(pattern: Pattern): string | undefined {
  const [first, second] = pattern;
  if (first === undefined) return "";
  return typeof first === "object" && second === undefined ? first.literal : undefined;
}
