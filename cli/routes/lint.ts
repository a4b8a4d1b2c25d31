import { Command } from "commander";

import type { CommandContext } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import { fileHelp, hasErrors, printProblems, readRoutes } from "./load.ts";

interface LintOptions {
  readonly json?: boolean;
  readonly strict?: boolean;
  readonly secrets: boolean;
}

/** `auditflow routes lint`: everything that is wrong with a routes file, and where. */
export function lintCommand(context: CommandContext): Command {
  return new Command("lint")
    .description("look for mistakes in routes; ends with 3 when there are errors")
    .argument("[file]", fileHelp)
    .option("--json", "one JSON object a line")
    .option("--strict", "end with 3 when there are warnings, too")
    .option("--no-secrets", "do not look whether the secrets are there, such as in a pull request's checks")
    .addHelpText(
      "after",
      "\nExamples:\n  auditflow routes lint routes.yaml\n  auditflow routes lint --no-secrets --strict routes/",
    )
    .action(async (file: string | undefined, options: LintOptions) => {
      await lint(file, options, context);
    });
}

async function lint(
  file: string | undefined,
  { json, strict, secrets }: LintOptions,
  context: CommandContext,
): Promise<void> {
  const { output, endWith } = context;
  const { problems } = await readRoutes(file, { secrets }, context);
  if (json) for (const problem of problems) output.out(JSON.stringify(problem));
  else printProblems(problems, output.out, output.paint);
  output.err(
    problems.length === 0
      ? "no problems"
      : `${problems.length} ${problems.length === 1 ? "problem" : "problems"}`,
  );
  if (hasErrors(problems) || (strict && problems.length > 0)) endWith(exitCode.problems);
}
