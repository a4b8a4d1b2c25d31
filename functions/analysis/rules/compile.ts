import { compileRuleSet, type Compiled, type RuleDocument } from "../sigma/compile.ts";
import { sha256 } from "./digest.ts";

/**
 * Compiles rule files with SHA-256 revisions. Filters that have expired by `now` (epoch milliseconds) are
 * not applied; without it nothing expires.
 */
export function compileRules(documents: readonly RuleDocument[], now?: number): Compiled {
  return compileRuleSet(documents, { hash: sha256, now });
}
