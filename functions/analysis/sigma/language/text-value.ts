import { base64, base64offsetBytes, base64offsets, utf16, utf8 } from "./encoding.ts";
import type { Pattern, Shape } from "./expression.ts";
import { limits } from "./limits.ts";
import type { TextStep } from "./modifiers.ts";
import { joinPattern, literalOf, parsePattern } from "./pattern.ts";
import { type Position, RuleError } from "./problem.ts";
import { windash, windashCount } from "./windash.ts";

/** Where a value stands, for messages. */
export interface Place {
  /** The item's key, with its modifiers. */
  readonly key: string;
  readonly at: Position;
}

/** What a value has become after some steps: one of these patterns, or bytes that are still to be encoded. */
type Draft = { readonly patterns: readonly Pattern[] } | { readonly bytes: readonly Uint8Array[] };

/**
 * The patterns a written text stands for: any of them will do. Modifiers add to the parsed value, never to
 * its text, where a trailing backslash would escape what is added.
 */
export function textPatterns(text: string, steps: readonly TextStep[], place: Place): readonly Pattern[] {
  if (steps.includes("expand")) refusePlaceholders(text, place);
  let draft: Draft = { patterns: [parsePattern(text)] };
  for (const step of steps) draft = take(step, draft, place);
  return "patterns" in draft ? draft.patterns : [];
}

function take(step: TextStep, draft: Draft, place: Place): Draft {
  switch (step) {
    case "expand":
      return draft;
    case "contains":
    case "startswith":
    case "endswith":
      return { patterns: patternsOf(draft).map((pattern) => shapePattern(pattern, step)) };
    case "windash":
      return { patterns: expandDashes(patternsOf(draft), place) };
    case "wide":
    case "utf16":
    case "utf16be":
      return { bytes: patternsOf(draft).map((pattern) => utf16(plainOf(pattern, step, place), step)) };
    case "base64":
      return { patterns: bytesOf(draft, step, place).map((bytes) => literal(base64(bytes))) };
    case "base64offset":
      return { patterns: bytesOf(draft, step, place).flatMap((bytes) => offsetsOf(bytes, place)) };
    default:
      return step satisfies never;
  }
}

function patternsOf(draft: Draft): readonly Pattern[] {
  return "patterns" in draft ? draft.patterns : [];
}

function bytesOf(draft: Draft, step: TextStep, place: Place): readonly Uint8Array[] {
  return "bytes" in draft
    ? draft.bytes
    : draft.patterns.map((pattern) => utf8(plainOf(pattern, step, place)));
}

function plainOf(pattern: Pattern, step: TextStep, { key, at }: Place): string {
  const plain = literalOf(pattern);
  if (plain !== undefined) return plain;
  const message = `'${step}' cannot encode the wildcards of a value of '${key}'; write \\* or \\? for the characters.`;
  throw new RuleError("RULE_VALUE_INVALID", message, at);
}

function literal(text: string): Pattern {
  return text === "" ? [] : [{ literal: text }];
}

function offsetsOf(bytes: Uint8Array, { key, at }: Place): readonly Pattern[] {
  if (bytes.length >= base64offsetBytes) return base64offsets(bytes).map(literal);
  const message = `A value of '${key}' is too short: base64offset needs ${base64offsetBytes} bytes.`;
  throw new RuleError("RULE_VALUE_INVALID", message, at);
}

function expandDashes(patterns: readonly Pattern[], { key, at }: Place): readonly Pattern[] {
  const count = patterns.reduce((sum, pattern) => sum + windashCount(pattern), 0);
  if (count <= limits.alternativesPerValue) return patterns.flatMap(windash);
  const message = `A value of '${key}' expands to ${count} alternatives; ${limits.alternativesPerValue} are allowed.`;
  throw new RuleError("RULE_LIMIT_EXCEEDED", message, at);
}

/** Placeholders are filled in by tools that know their values; nobody here does, so such a rule is refused. */
export function refusePlaceholders(text: string, { key, at }: Place): void {
  const [placeholder] = /(?<!\\)%[\w.-]+%/.exec(text) ?? [];
  if (placeholder === undefined) return;
  const message = `The placeholder ${placeholder} in a value of '${key}' is not known; write its values instead.`;
  throw new RuleError("RULE_PLACEHOLDER_UNKNOWN", message, at);
}

/** Adds the wildcards a shape stands for. */
export function shapePattern(pattern: Pattern, shape: Shape): Pattern {
  switch (shape) {
    case "equals":
      return pattern;
    case "contains":
      return joinPattern(["many", ...pattern, "many"]);
    case "startswith":
      return joinPattern([...pattern, "many"]);
    case "endswith":
      return joinPattern(["many", ...pattern]);
    default:
      return shape satisfies never;
  }
}
