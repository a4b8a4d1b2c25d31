import { stat } from "node:fs/promises";
import { Command } from "commander";

import { type CaseReport, runCases } from "../../functions/analysis/rules/cases.ts";
import { lintRules } from "../../functions/analysis/rules/lint.ts";
import { listRules, type RuleRow } from "../../functions/analysis/rules/list.ts";
import type { RuleProblem } from "../../functions/analysis/sigma/language/problem.ts";
import type { CommandContext } from "../context.ts";
import { CliError, exitCode } from "../exit-code.ts";
import { type Output, table } from "../output.ts";
import { packageRoot } from "../package.ts";

interface RulesOptions {
  readonly json?: boolean;
}

/** `auditflow rules`: what the rules of a folder are, whether they are sound, and whether they do what they say. */
export function rulesCommand(context: CommandContext): Command {
  const rules = new Command("rules").description("test, lint and list the rules of a folder");
  const add = (
    name: string,
    description: string,
    act: (folder: string, options: RulesOptions) => Promise<void>,
  ) =>
    rules
      .command(name)
      .description(description)
      .argument(
        "[folder]",
        "folder of rules (default: $AUDITFLOW_RULES_DIR, else the rules that come with AuditFlow)",
      )
      .option("--json", "one JSON object a line")
      .action(async (folder: string | undefined, options: RulesOptions) =>
        act(await folderOf(folder, context), options),
      );
  add("test", "run the cases beside each rule; ends with 3 when one fails", (folder, options) =>
    test(folder, options, context),
  );
  add("lint", "look for mistakes in rules; ends with 3 when there are errors", (folder, options) =>
    lint(folder, options, context),
  );
  add("list", "list the rules", (folder, options) => list(folder, options, context));
  return rules;
}

async function folderOf(given: string | undefined, { env }: CommandContext): Promise<string> {
  const folder = given ?? env["AUDITFLOW_RULES_DIR"] ?? `${packageRoot}rules`;
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return folder;
  throw new CliError(`"${folder}" is not a folder of rules.`, exitCode.usage);
}

async function test(
  folder: string,
  { json }: RulesOptions,
  { output, endWith }: CommandContext,
): Promise<void> {
  const report = await runCases(folder);
  if (json) for (const file of report.files) output.out(JSON.stringify(file));
  else printCases(report, output);
  printProblems(report.problems, output);
  output.err(`${report.passed} passed, ${report.failed} failed`);
  if (report.failed > 0 || hasErrors(report.problems)) endWith(exitCode.problems);
}

function printCases({ files }: CaseReport, { out, paint }: Output): void {
  for (const { file, casesFile, results } of files) {
    const failed = results.filter(({ failures }) => failures.length > 0);
    const mark = failed.length === 0 ? paint("green", "✓") : paint("red", "✗");
    out(`${mark} ${file}  ${results.length} ${results.length === 1 ? "case" : "cases"}`);
    for (const { title, line, failures } of failed) {
      out(`    ${casesFile}:${line}  "${title}"`);
      for (const failure of failures) out(`      ${failure}`);
    }
  }
}

async function lint(
  folder: string,
  { json }: RulesOptions,
  { output, endWith }: CommandContext,
): Promise<void> {
  const problems = await lintRules(folder);
  if (json) for (const problem of problems) output.out(JSON.stringify(problem));
  else printProblems(problems, { ...output, err: output.out });
  output.err(problems.length === 0 ? "no problems" : `${problems.length} problems`);
  if (hasErrors(problems)) endWith(exitCode.problems);
}

async function list(folder: string, { json }: RulesOptions, { output }: CommandContext): Promise<void> {
  const { rules, problems } = await listRules(folder);
  if (json) for (const rule of rules) output.out(JSON.stringify(rule));
  else
    for (const line of table(["ID", "LEVEL", "KIND", "CASES", "TITLE", "FILE"], rules.map(cells)))
      output.out(line);
  printProblems(problems, output);
}

function cells({ id, level, kind, cases, title, file }: RuleRow): readonly string[] {
  return [id, level, kind, String(cases), title, file];
}

function printProblems(problems: readonly RuleProblem[], { err, paint }: Output): void {
  for (const { file, line, column, severity, code, message } of problems) {
    const label = paint(severity === "error" ? "red" : "yellow", severity.padEnd(7));
    err(`${file}:${line}:${column}  ${label}  ${code}  ${message}`);
  }
}

function hasErrors(problems: readonly RuleProblem[]): boolean {
  return problems.some(({ severity }) => severity === "error");
}
