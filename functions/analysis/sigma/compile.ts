import {
  type Correlation,
  type ParsedCorrelation,
  parseCorrelation,
  type Reference,
  referencesOf,
} from "./language/correlation.ts";
import { type Description } from "./language/description.ts";
import { entryOf, type MapNode, parseDocuments } from "./language/document.ts";
import { createRuleSet, hashOf, type RuleSet } from "./rule-set.ts";
import { groupByLogsource } from "./matching/matcher.ts";
import { type Position, RuleError, type RuleProblem, type RuleProblemCode } from "./language/problem.ts";
import { canonicalCorrelation, canonicalRule } from "./revision.ts";
import { type ParsedRule, parseRule, type Rule } from "./rule.ts";

/** A rule file: its name, for messages, and its YAML. */
export interface RuleDocument {
  readonly file: string;
  readonly text: string;
}

export interface CompileOptions {
  /** Digest of a text as printable ASCII, such as SHA-256 in hexadecimal. */
  readonly hash: (text: string) => string;
  /** Epoch milliseconds: filters that have expired by then are not applied. Without it nothing expires. */
  readonly now?: number | undefined;
}

/** What became of every document: `documents` = `loaded` + `refused`. */
export interface LoadReport {
  readonly documents: number;
  /** `rules` + `correlations` + `filters` + `actions`. */
  readonly loaded: number;
  readonly rules: number;
  readonly correlations: number;
  /** Also those that have expired. */
  readonly filters: number;
  /** `action: global` and `action: reset`, which are no rules themselves. */
  readonly actions: number;
  /** The sum of `byCode`. */
  readonly refused: number;
  /** How many documents were refused, by the code of their error. */
  readonly byCode: Readonly<Partial<Record<RuleProblemCode, number>>>;
}

export interface Compiled {
  readonly ruleSet: RuleSet;
  readonly problems: readonly RuleProblem[];
  readonly report: LoadReport;
  /** Epoch milliseconds at which the next filter in force expires; compile again then. */
  readonly expiresAt?: number | undefined;
}

/** Compiles rule files. A document with an error is left out and reported; the others are unaffected. */
export function compileRuleSet(documents: readonly RuleDocument[], { hash }: CompileOptions): Compiled {
  const collected = collect(documents);
  const { problems } = collected;
  const parsed = withoutDuplicates(collected.rules, problems);
  const silent = silentRules(collected.references);
  const rules = parsed.map(({ unused, ...rule }): Rule => {
    problems.push(...unused.map(({ name, at }) => unusedProblem(rule.file, name, at)));
    const revision = hash(canonicalRule(rule.logsource, rule.detection));
    return { ...rule, revision, silent: silent(rule) };
  });
  const taken = new Set(rules.map(({ id }) => id));
  const correlations = withoutDuplicates(collected.correlations, problems, taken).flatMap((correlation) => {
    const resolved = attempt(correlation.file, problems, () => resolve(correlation, rules, hash));
    return resolved ? [resolved] : [];
  });
  const ruleSet = createRuleSet({
    hash: hashOf(rules, correlations, hash),
    size: rules.length + correlations.length,
    groups: groupByLogsource(rules),
    correlations,
  });
  return { ruleSet, problems: inOrder(problems), report: reportOf(rules, correlations, problems) };
}

/** Every refused document has exactly one error. */
function reportOf(
  rules: readonly Rule[],
  correlations: readonly Correlation[],
  problems: readonly RuleProblem[],
): LoadReport {
  const errors = problems.filter(({ severity }) => severity === "error");
  const byCode: Partial<Record<RuleProblemCode, number>> = {};
  for (const { code } of errors) byCode[code] = (byCode[code] ?? 0) + 1;
  const loaded = rules.length + correlations.length;
  return {
    documents: loaded + errors.length,
    loaded,
    rules: rules.length,
    correlations: correlations.length,
    filters: 0,
    actions: 0,
    refused: errors.length,
    byCode,
  };
}

interface Collected {
  readonly rules: ParsedRule[];
  readonly correlations: ParsedCorrelation[];
  /** What every correlation document names, also the refused ones. */
  readonly references: ReturnType<typeof referencesOf>[];
  readonly problems: RuleProblem[];
}

function collect(documents: readonly RuleDocument[]): Collected {
  const collected: Collected = { rules: [], correlations: [], references: [], problems: [] };
  for (const { file, text } of documents) {
    for (const node of parseDocuments(text)) {
      attempt(file, collected.problems, () => {
        if (node instanceof RuleError) throw node;
        if (node.kind === "map") return collectDocument(node, file, collected);
        throw new RuleError("RULE_DOCUMENT_INVALID", "A rule must be a map of attributes.", node.at);
      });
    }
  }
  return collected;
}

function collectDocument(document: MapNode, file: string, into: Collected): void {
  const unsupported = ["filter", "action"].flatMap((key) => entryOf(document, key) ?? []).at(0);
  if (unsupported) {
    const message = `Documents with '${unsupported.key}' are not supported yet.`;
    throw new RuleError("RULE_DOCUMENT_UNSUPPORTED", message, unsupported.keyAt);
  }
  const detection = entryOf(document, "detection");
  const correlation = entryOf(document, "correlation");
  if (detection && correlation) {
    throw new RuleError(
      "RULE_DOCUMENT_INVALID",
      "'detection' and 'correlation' exclude each other.",
      correlation.keyAt,
    );
  }
  if (correlation) {
    into.references.push(referencesOf(document));
    into.correlations.push(parseCorrelation(document, file));
  } else if (detection) into.rules.push(parseRule(document, file));
  else
    throw new RuleError(
      "RULE_DOCUMENT_INVALID",
      "Neither 'detection' nor 'correlation' is given.",
      document.at,
    );
}

/** Runs one step; its RuleError becomes a problem. Any other error is a fault of ours and passes through. */
function attempt<Result>(file: string, problems: RuleProblem[], step: () => Result): Result | undefined {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    problems.push({ code: error.code, severity: "error", file, ...error.at, message: error.message });
    return undefined;
  }
}

/** Of several documents with one id, or one name, the first stays. */
function withoutDuplicates<Item extends Description>(
  items: readonly Item[],
  problems: RuleProblem[],
  takenIds: Iterable<string> = [],
): readonly Item[] {
  const ids = new Set(takenIds);
  const names = new Set<string>();
  return items.filter((item) => {
    const named = item.name !== undefined && names.has(item.name);
    if (!ids.has(item.id) && !named) {
      ids.add(item.id);
      if (item.name !== undefined) names.add(item.name);
      return true;
    }
    const [code, what, value] = named
      ? (["RULE_NAME_DUPLICATE", "name", item.name ?? ""] as const)
      : (["RULE_ID_DUPLICATE", "id", item.id] as const);
    problems.push(duplicate(code, item, `The ${what} '${value}' is taken by an earlier document.`));
    return false;
  });
}

function duplicate(code: RuleProblemCode, { file, line }: Description, message: string): RuleProblem {
  return { code, severity: "error", file, line, column: 1, message };
}

/** A rule is silent when a correlation refers to it and none of those that do says `generate`. */
function silentRules(references: readonly ReturnType<typeof referencesOf>[]) {
  const named = (generate: boolean) =>
    new Set(
      references
        .filter((row) => row.generate === generate)
        .flatMap((row) => row.refersTo.map(({ name }) => name)),
    );
  const quiet = named(false);
  const loud = named(true);
  return (rule: Labelled) => isNamed(quiet, rule) && !isNamed(loud, rule);
}

type Labelled = Pick<Description, "id" | "name">;

function isNamed(names: ReadonlySet<string>, { id, name }: Labelled): boolean {
  return names.has(id) || (name !== undefined && names.has(name));
}

function resolve(
  { refersTo, ...correlation }: ParsedCorrelation,
  rules: readonly Rule[],
  hash: CompileOptions["hash"],
): Correlation {
  const referred = refersTo.map((reference) => findRule(reference, rules));
  const revision = hash(
    canonicalCorrelation(
      correlation,
      referred.map((rule) => rule.revision),
    ),
  );
  const ids = [...new Set(referred.map(({ id }) => id))];
  return {
    ...correlation,
    refersTo: ids.map((id) => ({ kind: "rule", id })),
    silent: false,
    revision,
  };
}

function findRule({ name, at }: Reference, rules: readonly Rule[]): Rule {
  const found = rules.find((rule) => rule.id === name) ?? rules.find((rule) => rule.name === name);
  if (found) return found;
  const message = `No rule has the id or name '${name}' (correlations of correlations are not supported yet).`;
  throw new RuleError("CORRELATION_RULE_UNKNOWN", message, at);
}

function unusedProblem(file: string, name: string, at: Position): RuleProblem {
  const message = `The condition does not use '${name}'.`;
  return { code: "RULE_IDENTIFIER_UNUSED", severity: "warning", file, ...at, message };
}

/** By file, then by place in it. */
function inOrder(problems: readonly RuleProblem[]): readonly RuleProblem[] {
  return problems.toSorted(
    (a, b) => (a.file < b.file ? -1 : Number(a.file > b.file)) || a.line - b.line || a.column - b.column,
  );
}
