import { regexOf } from "../matching/regex.ts";
import type { Shape, Test } from "./expression.ts";
import { limits } from "./limits.ts";
import type { RegexFlag } from "./modifiers.ts";
import { type Position, RuleError } from "./problem.ts";

type RegexTest = Extract<Test, { kind: "regex" }>;

export interface RegexOptions {
  readonly flags: readonly RegexFlag[];
  readonly shape: Shape;
  readonly at: Position;
}

/**
 * Reads a regular expression: its text is taken as it stands, flags may come from modifiers or stand at
 * its beginning (`(?i)`). `startswith` and `endswith` hold it to the beginning or end of the whole text,
 * also when `m` lets `^` and `$` match at lines. What cannot be matched in linear time is refused.
 */
export function parseRegex(text: string, { flags, shape, at }: RegexOptions): RegexTest {
  if (text.length > limits.regexCharacters) {
    const message = `A regular expression of more than ${limits.regexCharacters} characters.`;
    throw new RuleError("RULE_LIMIT_EXCEEDED", message, at);
  }
  const costly = costlyConstruct(text);
  if (costly !== undefined) throw invalid(`'${costly}' takes more than linear time and is not supported`, at);
  const [inline = "", letters = ""] = /^\(\?([ims]+)\)/.exec(text) ?? [];
  const all = new Set<string>([...flags, ...letters.split("")]);
  const test: RegexTest = {
    kind: "regex",
    source: anchored(text.slice(inline.length), shape),
    flags: ["i", "m", "s"].filter((flag) => all.has(flag)).join(""),
  };
  try {
    regexOf(test);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error), at);
  }
  return test;
}

function anchored(source: string, shape: Shape): string {
  if (shape === "startswith") return `(?-m:^)(?:${source})`;
  return shape === "endswith" ? `(?:${source})(?-m:$)` : source;
}

/** Lookaround, atomic groups and backreferences, outside of character classes. */
function costlyConstruct(text: string): string | undefined {
  let inClass = false;
  for (const [token] of text.matchAll(/\\[1-9]|\\k<|\\[^]|\(\?(?:<?[=!]|>)|\[\^?\]?|\]/g)) {
    if (inClass) inClass = token !== "]";
    else if (token.startsWith("[")) inClass = true;
    else if (token.startsWith("(?") || /^\\(?:[1-9]|k<)$/.test(token)) return token;
  }
  return undefined;
}

function invalid(message: string, at: Position): RuleError {
  return new RuleError("RULE_REGEX_INVALID", `The regular expression cannot be used: ${message}.`, at);
}
