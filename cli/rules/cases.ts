import { writeFile } from "node:fs/promises";
import { Command, Option } from "commander";

import { type CaseReport, runCases } from "../../functions/analysis/rules/cases.ts";
import type { RuleProblem } from "../../functions/analysis/sigma/language/problem.ts";
import type { CommandContext } from "../context.ts";
import { CliError, exitCode } from "../exit-code.ts";
import type { Output } from "../output.ts";
import { folderHelp, folderOf } from "./folder.ts";
import { type Suite, toJunit } from "./junit.ts";
import { hasErrors, printProblems } from "./problems.ts";

interface TestOptions {
  readonly json?: boolean;
  readonly format?: "text" | "json" | "junit";
  readonly output?: string;
}

/** `auditflow rules test`: runs the cases beside each rule. */
export function testCommand(context: CommandContext): Command {
  return new Command("test")
    .description("run the cases beside each rule; ends with 3 when one fails")
    .argument("[folder]", folderHelp)
    .option("--json", "one JSON object a line, the same as --format json")
    .addOption(new Option("--format <format>", "how to report").choices(["text", "json", "junit"]))
    .option("--output <file>", "write the report to a file instead of standard output")
    .action(async (folder: string | undefined, options: TestOptions) => {
      await test(await folderOf(folder, context), options, context);
    });
}

async function test(
  folder: string,
  options: TestOptions,
  { output, endWith }: CommandContext,
): Promise<void> {
  const report = await runCases(folder);
  const text = formatted(report, options, output);
  if (options.output === undefined) output.out(text);
  else await write(options.output, text);
  printProblems(report.problems, output);
  output.err(`${report.passed} passed, ${report.failed} failed`);
  if (report.failed > 0 || hasErrors(report.problems)) endWith(exitCode.problems);
}

function formatted(report: CaseReport, { json, format }: TestOptions, output: Output): string {
  if (format === "junit") return toJunit(suitesOf(report));
  if (format === "json" || json) return report.files.map((file) => JSON.stringify(file)).join("\n");
  return textOf(report, output).join("\n");
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, `${text}\n`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(`--output ${path}: ${reason}`, exitCode.usage, { cause: error });
  }
}

function textOf({ files, problems }: CaseReport, { paint }: Output): readonly string[] {
  const unread = new Set(problems.filter(({ severity }) => severity === "error").map(({ file }) => file));
  return files.flatMap(({ file, casesFile, results }) => {
    const failed = results.filter(({ failures }) => failures.length > 0);
    const mark = failed.length > 0 || unread.has(casesFile) ? paint("red", "✗") : paint("green", "✓");
    return [
      `${mark} ${file}  ${results.length} ${results.length === 1 ? "case" : "cases"}`,
      ...failed.flatMap(({ title, line, failures }) => [
        `    ${casesFile}:${line}  "${title}"`,
        ...failures.map((failure) => `      ${failure}`),
      ]),
    ];
  });
}

/** Rules that do not load are a suite of their own, or a broken file would make a green report. */
function suitesOf({ files, problems }: CaseReport): readonly Suite[] {
  const suites = files.map(({ file, casesFile, results }) => ({
    name: file,
    tests: results.map(({ title, line, failures }) => ({ name: title, file: casesFile, line, failures })),
  }));
  const errors = problems.filter(({ severity }) => severity === "error");
  return errors.length === 0 ? suites : [...suites, { name: "loading", tests: errors.map(loadingTest) }];
}

function loadingTest({ file, line, column, code, message }: RuleProblem) {
  const name = `${file}:${line}:${column}`;
  return { name, file, line, failures: [`${code} ${message}`] };
}
