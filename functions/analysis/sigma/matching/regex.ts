import { RE2JS } from "re2js";

import { leastLength, requiredLiterals, safeLength, toJavaScript } from "./regex-plan.ts";
import { parseRegex } from "./regex-syntax.ts";

/** A compiled regular expression. */
export interface CompiledRegex {
  /** Whether it is found somewhere in a text; takes time linear in the text's length. Never throws. */
  readonly test: (text: string) => boolean;
  /** Folded texts of which every text that matches contains one; none when nothing is known. */
  readonly literals: readonly string[];
  /** Up to which length ASCII texts are left to JavaScript's own engine; 0 when never. */
  readonly nativeUpTo: number;
}

/** Longer ones, and larger programs, are refused: a rule is no place for a lexer. */
const longestSource = 10_000;
const largestProgram = 20_000;

/**
 * Compiles a regular expression in RE2's syntax and meaning; `flags` are some of `i`, `m`, `s`. It is not
 * anchored and decides by case unless told otherwise; flags may also stand inside, as in `(?i)abc`.
 *
 * RE2 is linear but slow here. So where it is proven that backtracking stays within a budget for a text
 * of that length, and for ASCII text only (where both engines agree), JavaScript's own engine decides.
 *
 * Throws an Error that says why where the expression is wrong, too large, or asks for what takes more
 * than linear time: backreferences, lookaround, possessive and atomic groups.
 */
export function compileRegex(source: string, flags: string): CompiledRegex {
  if (source.length > longestSource) throw new Error(`longer than ${longestSource} characters`);
  const linear = compileLinear(source, flags);
  const regex = parseRegex(source, flags);
  if (!regex) return { test: (text) => linear.test(text), literals: [], nativeUpTo: 0 };
  const least = leastLength(regex);
  const nativeUpTo = safeLength(regex);
  const native = new RegExp(toJavaScript(regex));
  return {
    test: (text) => {
      // What is shorter in code units is also shorter in characters.
      if (text.length < least) return false;
      return text.length <= nativeUpTo && isAscii(text) ? native.test(text) : linear.test(text);
    },
    literals: requiredLiterals(regex) ?? [],
    nativeUpTo,
  };
}

const compiled = new WeakMap<object, CompiledRegex>();

/** The same, compiled once for each test of a rule. */
export function regexOf(test: { readonly source: string; readonly flags: string }): CompiledRegex {
  const known = compiled.get(test);
  if (known) return known;
  const regex = compileRegex(test.source, test.flags);
  compiled.set(test, regex);
  return regex;
}

function compileLinear(source: string, flags: string): RE2JS {
  let linear: RE2JS;
  try {
    linear = RE2JS.compile(source, flagsOf(flags));
  } catch (error) {
    throw new Error(reasonOf(source, error), { cause: error });
  }
  if (linear.programSize() <= largestProgram) return linear;
  throw new Error("its repetitions make it too large");
}

function flagsOf(flags: string): number {
  let bits = 0;
  if (flags.includes("i")) bits |= RE2JS.CASE_INSENSITIVE;
  if (flags.includes("m")) bits |= RE2JS.MULTILINE;
  if (flags.includes("s")) bits |= RE2JS.DOTALL;
  return bits;
}

function reasonOf(source: string, error: unknown): string {
  if (/\(\?<?[=!]/.test(source)) return "lookaround is not supported";
  if (/\\[1-9]/.test(source)) return "backreferences are not supported";
  return error instanceof Error ? error.message : "it is no regular expression";
}

const beyondAscii = new RegExp(String.raw`[^\x00-\x7f]`);

export function isAscii(text: string): boolean {
  return !beyondAscii.test(text);
}
