import type { Correlation } from "./correlation.ts";
import type { Logsource } from "./logsource.ts";
import type { RuleProblem } from "./problem.ts";
import type { Rule } from "./rule.ts";

/** A rule file: its name, for messages, and its YAML. */
export interface RuleDocument {
  readonly file: string;
  readonly text: string;
}

/** The rules in force. Immutable; a reload makes a new one. */
export interface RuleSet {
  /** Hash over the ids and revisions of everything in force. */
  readonly hash: string;
  readonly rules: readonly Rule[];
  readonly correlations: readonly Correlation[];
  /**
   * The rules that hold for an event, in the order they were loaded, also those that only serve
   * correlations. A rule applies when the event's log source asserts every attribute the rule's states;
   * an event without a log source therefore matches nothing. Never throws.
   */
  match(fields: object, logsource: Logsource): readonly Rule[];
}

export interface CompileOptions {
  /** Digest of a text as printable ASCII, such as SHA-256 in hexadecimal. */
  readonly hash: (text: string) => string;
}

export interface Compiled {
  readonly ruleSet: RuleSet;
  readonly problems: readonly RuleProblem[];
}

/** Compiles rule files. A document with an error is left out and reported; the others are unaffected. */
export declare function compileRuleSet(documents: readonly RuleDocument[], options: CompileOptions): Compiled;
