import { Command } from "commander";

import { parseInstant } from "../../events/time.ts";
import type { CommandContext } from "../context.ts";
import { CliError, exitCode } from "../exit-code.ts";
import { type Format, formatOption, printable } from "../print.ts";
import { type GivenOptions, readAlerts } from "./given-alerts.ts";
import { fileHelp, hasErrors, printProblems, readRoutes } from "./load.ts";
import { describeVerdict, judge } from "./verdict.ts";

interface TryOptions extends GivenOptions {
  readonly at?: number;
  readonly output: Format;
}

const examples = `
Examples:
  auditflow routes test routes.yaml --severity critical --host db-1
  auditflow routes test routes.yaml --rule login-burst --at 2026-12-24T23:00:00Z
  auditflow routes test routes.yaml --alert alert.json -o json
  auditflow alerts list -o ndjson | auditflow routes test routes.yaml -f -`;

/** `auditflow routes test`: where an alert would go, and when; asks no server. */
export function tryCommand(context: CommandContext): Command {
  return new Command("test")
    .description("tell where an alert would go, and when; ends with 3 when the routes have errors")
    .argument("[file]", fileHelp)
    .option("--alert <file>", "an alert, or a list of them, as JSON; - for standard input")
    .option("-f, --file <file>", "an alert a line; - for standard input (default, when nothing is said)")
    .option("--severity <severity>", "an alert of this severity")
    .option("--rule <id>", "an alert of this rule")
    .option("--host <name>", "an alert of this host")
    .option("--actor <id>", "an alert of this actor")
    .option("--type <type>", "an alert of this type")
    .option("--source <name>", "an alert from this service")
    .option("--environment <name>", "an alert of this environment")
    .option("--tag <tag...>", "an alert with this tag")
    .option("--at <time>", "when it comes, RFC 3339 (default: now)", instant)
    .addOption(formatOption())
    .addHelpText("after", examples)
    .action(async (file: string | undefined, options: TryOptions) => {
      await attempt(file, options, context);
    });
}

function instant(text: string): number {
  const ms = parseInstant(text);
  if (ms !== undefined) return ms;
  throw new CliError(`--at: "${text}" is no time such as 2026-11-21T12:00:00Z.`, exitCode.usage);
}

async function attempt(
  file: string | undefined,
  options: TryOptions,
  context: CommandContext,
): Promise<void> {
  const { output, endWith } = context;
  const { routes, problems } = await readRoutes(file, { secrets: false }, context);
  printProblems(
    problems.filter(({ severity }) => severity === "error"),
    output.err,
    output.paint,
  );
  if (!routes || hasErrors(problems)) return endWith(exitCode.problems);
  const now = options.at ?? Date.now();
  const verdicts = judge(routes, await readAlerts(options, now, context), now);
  if (options.output === "json") return output.out(JSON.stringify(verdicts, undefined, 2));
  for (const verdict of verdicts) {
    if (options.output === "ndjson") output.out(JSON.stringify(verdict));
    else for (const line of describeVerdict(verdict)) output.out(printable(line));
  }
  return undefined;
}
