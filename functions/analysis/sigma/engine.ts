import { compileRuleSet } from "./compile.ts";
import { createStream } from "./correlating/stream.ts";
import type { EventLogsource } from "./language/logsource.ts";
import type { RuleProblem } from "./language/problem.ts";
import type { Rule } from "./rule.ts";

/** Sigma rules and correlations, ready for events. */
export interface Engine {
  /**
   * The rules that hold for an event, also those that only serve correlations: their ids, or the name, or
   * else the title of a rule without an id. A rule applies when `logsource` asserts every attribute the
   * rule's states. Never throws.
   */
  evaluate(event: object, logsource: EngineLogsource): readonly string[];
  /**
   * The same for an event of a stream, whose correlations are followed in memory. `epochSeconds` is the
   * event's time and may have a fraction; times are told apart by microseconds. Never throws.
   */
  process(epochSeconds: number, event: object, logsource: EngineLogsource): Processed;
}

/** The log source of an event; an event that belongs to several categories lists them. */
export type EngineLogsource = EventLogsource;

export interface Processed {
  /** The rules that hold and raise something by themselves. */
  readonly detections: readonly string[];
  /** The correlations that now qualify because of this event, and the silences that ended before it. */
  readonly correlations: readonly Correlated[];
}

export interface Correlated {
  /** Its id, name or title. */
  readonly rule: string;
  /** The values of `group-by` as text, by field or alias; empty when it groups by nothing. */
  readonly group: Readonly<Record<string, string>>;
}

/** Why a set of rules is refused: every problem at once. */
export class RulesInvalidError extends Error {
  override readonly name = "RulesInvalidError";
  readonly problems: readonly RulesProblem[];

  constructor(problems: readonly RulesProblem[]) {
    const lines = problems.map(({ code, text, line, column, message }) => {
      return `text ${text}, line ${line}, column ${column}: ${code}: ${message}`;
    });
    super(`The rules are invalid.\n${lines.join("\n")}`);
    this.problems = problems;
  }
}

/** A problem and its place; text, line and column count from 1. */
export interface RulesProblem extends Pick<RuleProblem, "code" | "line" | "column" | "message"> {
  readonly text: number;
}

const limits = { groupsPerCorrelation: 100_000, membersPerGroup: 10_000 };

/** Shared by all events that match nothing, so that such an event costs no memory. */
const none: readonly never[] = Object.freeze([]);
const nothing: Processed = Object.freeze({ detections: none, correlations: none });

/**
 * Compiles texts of one or more YAML documents each: rules, correlations and filters, in any order. Throws
 * one RulesInvalidError that names every problem when any document is not valid.
 */
export function createEngine(texts: readonly string[]): Engine {
  const documents = texts.map((text, index) => ({ file: String(index + 1), text }));
  const { ruleSet, problems } = compileRuleSet(documents, { hash: digest });
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length > 0) {
    throw new RulesInvalidError(errors.map(({ file, ...problem }) => ({ ...problem, text: Number(file) })));
  }
  const stream = createStream(ruleSet.correlations, limits);

  function match(event: object, logsource: EngineLogsource): readonly Rule[] {
    // Callers without types hand over anything: what is no object has no fields.
    const isEvent = typeof event === "object" && event !== null;
    return isEvent && typeof logsource === "object" && logsource !== null
      ? ruleSet.match(event, logsource)
      : none;
  }

  return {
    evaluate(event, logsource) {
      const matched = match(event, logsource);
      return matched.length === 0 ? none : matched.map(({ id }) => id);
    },
    process(epochSeconds, event, logsource) {
      const matched = match(event, logsource);
      const time = toMilliseconds(epochSeconds);
      if (matched.length === 0 && !stream.isDue(time)) return nothing;
      const detections = matched.filter(({ silent }) => !silent).map(({ id }) => id);
      if (Number.isNaN(time)) return { detections, correlations: none };
      const ids = matched.map(({ id }) => id);
      const correlations = stream.process(time, ids, event).map(({ correlation, group }) => ({
        rule: correlation.id,
        group: Object.fromEntries(correlation.groupBy.map((field, index) => [field, group[index] ?? ""])),
      }));
      return { detections, correlations };
    },
  };
}

/** Rounded to microseconds, so that times written as decimals are exactly as far apart as they say; NaN for no time. */
function toMilliseconds(epochSeconds: number): number {
  const microseconds = Math.round(epochSeconds * 1e6);
  return Number.isFinite(microseconds) ? microseconds / 1000 : Number.NaN;
}

/** Tells revisions of rules apart (FNV-1a, 32 bits); nobody needs to be kept from making two alike. */
function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0).toString(16);
}
