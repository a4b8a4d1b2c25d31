import type { Correlation } from "../language/correlation.ts";
import type { ParsedCorrelation } from "../language/parse-correlation.ts";
import { RuleError } from "../language/problem.ts";
import type { Rule } from "../rule.ts";
import { createDirectory, type Labelled } from "./directory.ts";
import type { Problems } from "./problems.ts";
import { resolveCorrelation, type Target } from "./resolve.ts";

export interface CorrelationContext {
  readonly rules: readonly Rule[];
  readonly hash: (text: string) => string;
  readonly problems: Problems;
  readonly isSilent: (item: Labelled) => boolean;
}

/**
 * Resolves correlations, those that others refer to before the others. Without recursion: a chain may be
 * as long as there are documents. What is left when nothing more can be resolved goes round in circles.
 */
export function resolveCorrelations(
  parsed: readonly ParsedCorrelation[],
  context: CorrelationContext,
): readonly Correlation[] {
  const { problems, isSilent } = context;
  const graph = createGraph(parsed, context.rules);
  const targets = new Map<string, Target>(
    context.rules.map(({ id, revision }) => [id, { kind: "rule", id, revision, height: 0 }]),
  );
  const resolved = new Map<ParsedCorrelation, Correlation>();
  for (const correlation of graph.inOrder()) {
    const find = (name: string) => targets.get(graph.idOf(name) ?? "");
    const found = problems.attempt(correlation.file, () =>
      resolveCorrelation(correlation, { hash: context.hash, problems, find }),
    );
    if (!found) continue;
    const { height, ...rest } = found;
    targets.set(rest.id, { kind: "correlation", id: rest.id, revision: rest.revision, height });
    resolved.set(correlation, { ...rest, silent: isSilent(correlation) });
  }
  for (const correlation of graph.left()) {
    problems.attempt(correlation.file, () => {
      throw circular(correlation, graph);
    });
  }
  return parsed.flatMap((correlation) => resolved.get(correlation) ?? []);
}

type Graph = ReturnType<typeof createGraph>;

function createGraph(parsed: readonly ParsedCorrelation[], rules: readonly Rule[]) {
  const find = createDirectory<Labelled>([...rules, ...parsed]);
  const idOf = (name: string): string | undefined => find(name)?.id;
  const byId = new Map(parsed.map((correlation) => [correlation.id, correlation]));
  const childrenOf = ({ refersTo }: ParsedCorrelation) =>
    new Set(refersTo.flatMap(({ name }) => byId.get(idOf(name) ?? "") ?? []));
  const parents = new Map<ParsedCorrelation, ParsedCorrelation[]>();
  const waiting = new Map(parsed.map((correlation) => [correlation, childrenOf(correlation).size]));
  for (const correlation of parsed) {
    for (const child of childrenOf(correlation)) {
      parents.set(child, [...(parents.get(child) ?? []), correlation]);
    }
  }
  return { idOf, inOrder, left: () => [...waiting.keys()], nextInCircle };

  /** Each correlation after those it refers to. */
  function* inOrder(): Generator<ParsedCorrelation> {
    const ready = parsed.filter((correlation) => waiting.get(correlation) === 0);
    for (const correlation of ready) {
      waiting.delete(correlation);
      yield correlation;
      for (const parent of parents.get(correlation) ?? []) {
        const rest = (waiting.get(parent) ?? 0) - 1;
        waiting.set(parent, rest);
        if (rest === 0) ready.push(parent);
      }
    }
  }

  /** What of those that are left it refers to first. */
  function nextInCircle({ refersTo }: ParsedCorrelation) {
    for (const reference of refersTo) {
      const child = byId.get(idOf(reference.name) ?? "");
      if (child && waiting.has(child)) return { reference, child };
    }
    return undefined;
  }
}

/** The error of a correlation that is part of a circle, or that leads into one. */
function circular(correlation: ParsedCorrelation, graph: Graph): RuleError {
  const path: ParsedCorrelation[] = [];
  let at: ParsedCorrelation | undefined = correlation;
  while (at && !path.includes(at) && path.length <= mostNames) {
    path.push(at);
    at = graph.nextInCircle(at)?.child;
  }
  const place = graph.nextInCircle(correlation)?.reference.at ?? { line: correlation.line, column: 1 };
  const names = [...path, ...(at ? [at] : [])].map(({ name, id }) => name ?? id).join(" -> ");
  const closed = at !== undefined && path.includes(at);
  const message = `Correlations refer to each other in a circle: ${names}${closed ? "" : " -> ..."}.`;
  return new RuleError("CORRELATION_CYCLE", message, place);
}

/** A circle of thousands would make thousands of long messages. */
const mostNames = 20;
