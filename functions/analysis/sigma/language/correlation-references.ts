import { entryOf, type MapNode } from "./document.ts";
import { requireEntry } from "./description.ts";
import { limits } from "./limits.ts";
import { type Position, RuleError } from "./problem.ts";

/** A rule or correlation as another document names it: by id or by name. */
export interface Reference {
  readonly name: string;
  readonly at: Position;
}

/** What a correlation refers to, and whether that raises by itself as well. */
export interface References {
  readonly refersTo: readonly Reference[];
  readonly generate: boolean;
}

/**
 * The rules a correlation document names. Read without complaint: also the rules of a correlation that is
 * refused must stay silent, or a typing error in it would turn every single event into an alert.
 */
export function referencesOf(document: MapNode): References {
  const correlation = entryOf(document, "correlation")?.value;
  if (correlation?.kind !== "map") return { refersTo: [], generate: false };
  const rules = entryOf(correlation, "rules")?.value;
  const nodes = rules?.kind === "list" ? rules.items : [rules];
  const refersTo = nodes.flatMap((node) =>
    node?.kind === "scalar" && node.value !== null ? [{ name: String(node.value), at: node.at }] : [],
  );
  return { refersTo, generate: [document, correlation].some(isGenerating) };
}

function isGenerating(map: MapNode): boolean {
  const value = entryOf(map, "generate")?.value;
  return value?.kind === "scalar" && value.value === true;
}

/** The rules of a correlation: one at least, and no more than there are bits for. */
export function parseReferences(document: MapNode, correlation: MapNode): readonly Reference[] {
  const { value, keyAt } = requireEntry(correlation, "rules");
  const { refersTo } = referencesOf(document);
  const nodes = value.kind === "list" ? value.items : [value];
  if (nodes.length === 0 || refersTo.length < nodes.length)
    throw invalid("'rules' must name one rule at least, each by its id or name", keyAt);
  if (refersTo.length <= limits.rulesPerCorrelation) return refersTo;
  throw invalid(`'rules' may name ${limits.rulesPerCorrelation} rules, not ${refersTo.length}`, keyAt);
}

/** `generate` may stand beside the correlation (specification) or in it (pySigma). */
export function requireGenerate(document: MapNode, correlation: MapNode): void {
  for (const map of [document, correlation]) {
    const value = entryOf(map, "generate")?.value;
    const isBoolean = value?.kind === "scalar" && (value.value === null || typeof value.value === "boolean");
    if (value && !isBoolean) throw invalid("'generate' wants true or false", value.at);
  }
}

function invalid(message: string, at: Position): RuleError {
  return new RuleError("CORRELATION_INVALID", `${message}.`, at);
}
