import { RE2JS } from "re2js";

/** Whether the regular expression is found somewhere in a text. Never throws. */
export type RegexTest = (text: string) => boolean;

/**
 * Compiles a regular expression in RE2's syntax; `flags` are some of `i`, `m`, `s`. It is not anchored
 * and decides by case unless told otherwise; flags may also stand inside, as in `(?i)abc`.
 *
 * Throws an Error that says why where the expression is wrong or asks for what takes more than linear
 * time: backreferences, lookaround, possessive and atomic groups.
 */
export function compileRegex(source: string, flags: string): RegexTest {
  const compiled = RE2JS.compile(source, flagsOf(flags));
  return (text) => compiled.test(text);
}

function flagsOf(flags: string): number {
  let bits = 0;
  if (flags.includes("i")) bits |= RE2JS.CASE_INSENSITIVE;
  if (flags.includes("m")) bits |= RE2JS.MULTILINE;
  if (flags.includes("s")) bits |= RE2JS.DOTALL;
  return bits;
}
