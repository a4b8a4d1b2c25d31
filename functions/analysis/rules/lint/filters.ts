import { entryOf, type MapNode, toPlain } from "../../sigma/language/document.ts";
import type { RuleProblem } from "../../sigma/language/problem.ts";
import { warning } from "./warning.ts";

const accounted = ["owner", "reason", "expires"] as const;

/** Exceptions that nobody answers for, or that never end: they are forgotten, and hide what they no longer should. */
export function unownedFilters(file: string, documents: readonly MapNode[]): readonly RuleProblem[] {
  return documents
    .filter((document) => entryOf(document, "filter"))
    .flatMap((document) => {
      const content = entryOf(document, "auditflow")?.value;
      const stated = content?.kind === "map" ? content : undefined;
      const missing = accounted.filter((key) => {
        const entry = stated && entryOf(stated, key);
        return !entry || toPlain(entry.value) === null || toPlain(entry.value) === "";
      });
      if (missing.length === 0) return [];
      const message = `The exception states no ${missing.join(", no ")} under 'auditflow'.`;
      return [warning("FILTER_UNOWNED", { file, ...document.at }, message)];
    });
}
