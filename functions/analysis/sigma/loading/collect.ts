import { createActions } from "../language/actions.ts";
import { type References, referencesOf } from "../language/correlation-references.ts";
import { entryOf, type MapNode, parseDocuments } from "../language/document.ts";
import { type ParsedFilter, parseFilter } from "../language/filter.ts";
import { type ParsedCorrelation, parseCorrelation } from "../language/parse-correlation.ts";
import { RuleError } from "../language/problem.ts";
import { type ParsedRule, parseRule } from "../rule.ts";
import type { Problems } from "./problems.ts";
import { createRegexBudget } from "./regex-budget.ts";

/** What the documents of all files say, each by itself. */
export interface Collected {
  readonly rules: ParsedRule[];
  readonly correlations: ParsedCorrelation[];
  readonly filters: ParsedFilter[];
  /** What every correlation document names, also the refused ones. */
  readonly references: References[];
  /** How many documents there are. */
  documents: number;
  /** Documents that are only there for others: `action: global` and `reset`. */
  actions: number;
}

export interface SourceFile {
  readonly file: string;
  readonly text: string;
}

/** Parses every document; one with an error becomes a problem and leaves the others alone. */
export function collect(files: readonly SourceFile[], problems: Problems): Collected {
  const lists = { rules: [], correlations: [], filters: [], references: [] };
  const collected: Collected = { ...lists, documents: 0, actions: 0 };
  for (const { file, text } of files) {
    const actions = createActions();
    const spendRegexes = createRegexBudget();
    for (const node of parseDocuments(text)) {
      collected.documents += 1;
      problems.attempt(file, () => {
        if (node instanceof RuleError) throw node;
        if (node.kind !== "map")
          throw new RuleError("RULE_DOCUMENT_INVALID", "A rule must be a map of attributes.", node.at);
        const document = actions.next(node);
        if (!document) {
          collected.actions += 1;
          return;
        }
        spendRegexes(document);
        collectDocument(document, file, collected);
      });
    }
  }
  return collected;
}

const kinds = ["detection", "correlation", "filter"] as const;

function collectDocument(document: MapNode, file: string, into: Collected): void {
  const [kind, other] = kinds.flatMap((key) => entryOf(document, key) ?? []);
  if (!kind) {
    const message = `A document has one of ${kinds.join(", ")}; this one has none.`;
    throw new RuleError("RULE_DOCUMENT_INVALID", message, document.at);
  }
  if (kind.key === "correlation" || other?.key === "correlation")
    into.references.push(referencesOf(document));
  if (other) {
    const message = `'${kind.key}' and '${other.key}' exclude each other.`;
    throw new RuleError("RULE_DOCUMENT_INVALID", message, other.keyAt);
  }
  if (kind.key === "detection") into.rules.push(parseRule(document, file));
  else if (kind.key === "filter") into.filters.push(parseFilter(document, file));
  else into.correlations.push(parseCorrelation(document, file));
}
