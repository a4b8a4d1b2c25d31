import { channelTypes } from "../../functions/notification/channels/index.ts";
import { createReadSecret } from "../../functions/notification/channels/secret.ts";
import { type LoadedRoutes, loadRoutes } from "../../functions/notification/routing/file/load.ts";
import type { RouteProblem } from "../../functions/notification/routing/file/problem.ts";
import { readRouteFiles } from "../../functions/notification/routing/file/read.ts";
import type { CommandContext } from "../context.ts";
import { CliError, exitCode } from "../exit-code.ts";
import { printable } from "../print.ts";

export const fileHelp = "a file of routes, or a folder of them (default: $AUDITFLOW_ROUTES)";

/** Reads routes as the function does, from the given path or from where the function would. */
export async function readRoutes(
  path: string | undefined,
  { secrets }: { readonly secrets: boolean },
  { env }: CommandContext,
): Promise<LoadedRoutes> {
  const from = path ?? env["AUDITFLOW_ROUTES"];
  if (!from) throw new CliError("Which file? Name one, or set AUDITFLOW_ROUTES.", exitCode.usage);
  try {
    return loadRoutes(await readRouteFiles(from), {
      channelTypes,
      opened: openedBy(env),
      readSecret: secrets ? createReadSecret(env) : undefined,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(`${from}: ${reason}`, exitCode.usage, { cause: error });
  }
}

/** The channels that the environment opens by itself. */
function openedBy(env: NodeJS.ProcessEnv): readonly string[] {
  return [
    ...(env["AUDITFLOW_CONSOLE"] === "false" ? [] : ["console"]),
    ...(env["AUDITFLOW_WEBHOOK_URL"] ? ["webhook"] : []),
  ];
}

/** One line each: place, severity, what is wrong and what is possible. */
export function printProblems(
  problems: readonly RouteProblem[],
  print: (line: string) => void,
  paint: CommandContext["output"]["paint"],
): void {
  for (const { file, line, column, severity, message, allowed } of problems) {
    const label = paint(severity === "error" ? "red" : "yellow", severity.padEnd(7));
    const possible = allowed === undefined ? "" : ` Possible: ${allowed}.`;
    print(`${file}:${line}:${column}  ${label}  ${printable(message)}${printable(possible)}`);
  }
}

export function hasErrors(problems: readonly RouteProblem[]): boolean {
  return problems.some(({ severity }) => severity === "error");
}
