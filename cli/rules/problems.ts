import type { RuleProblem } from "../../functions/analysis/sigma/language/problem.ts";
import type { Output } from "../output.ts";

/** One line each: place, severity, code and message. */
export function printProblems(problems: readonly RuleProblem[], { err, paint }: Output): void {
  for (const { file, line, column, severity, code, message } of problems) {
    const label = paint(severity === "error" ? "red" : "yellow", severity.padEnd(7));
    err(`${file}:${line}:${column}  ${label}  ${code}  ${message}`);
  }
}

export function hasErrors(problems: readonly RuleProblem[]): boolean {
  return problems.some(({ severity }) => severity === "error");
}
