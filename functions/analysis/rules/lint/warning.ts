import type { RuleProblem, RuleProblemCode } from "../../sigma/language/problem.ts";

/** A warning about a rule, or about a place in a file. */
export function warning(
  code: RuleProblemCode,
  { file, line, column = 1 }: { readonly file: string; readonly line: number; readonly column?: number },
  message: string,
): RuleProblem {
  return { code, severity: "warning", file, line, column, message };
}
