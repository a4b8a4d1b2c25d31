import { createHash } from "node:crypto";

import { compileRuleSet, type Compiled, type RuleDocument } from "../sigma/compile.ts";

/** Compiles rule files with SHA-256 revisions. */
export function compileRules(documents: readonly RuleDocument[]): Compiled {
  return compileRuleSet(documents, { hash: sha256 });
}

/** SHA-256 of a text, in hexadecimal. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
