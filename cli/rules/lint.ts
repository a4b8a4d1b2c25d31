import { Command } from "commander";

import { lintRules } from "../../functions/analysis/rules/lint/lint.ts";
import type { CommandContext } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import { folderHelp, folderOf } from "./folder.ts";
import { hasErrors, printProblems } from "./problems.ts";

/** `auditflow rules lint`: everything rules can be criticised for. */
export function lintCommand(context: CommandContext): Command {
  return new Command("lint")
    .description("look for mistakes in rules; ends with 3 when there are errors")
    .argument("[folder]", folderHelp)
    .option("--json", "one JSON object a line")
    .option("--strict", "end with 3 when there are warnings, too")
    .action(async (folder: string | undefined, options: LintOptions) => {
      await lint(await folderOf(folder, context), options, context);
    });
}

interface LintOptions {
  readonly json?: boolean;
  readonly strict?: boolean;
}

async function lint(
  folder: string,
  { json, strict }: LintOptions,
  { output, endWith }: CommandContext,
): Promise<void> {
  const problems = await lintRules(folder, Date.now());
  if (json) for (const problem of problems) output.out(JSON.stringify(problem));
  else printProblems(problems, { ...output, err: output.out });
  output.err(summaryOf(problems.length));
  if (hasErrors(problems) || (strict && problems.length > 0)) endWith(exitCode.problems);
}

function summaryOf(count: number): string {
  if (count === 0) return "no problems";
  return count === 1 ? "1 problem" : `${count} problems`;
}
