import { Command, CommanderError } from "commander";

import { alertsCommand } from "./commands/alerts.ts";
import { channelsCommand } from "./commands/channels.ts";
import { deliveriesCommand } from "./commands/deliveries.ts";
import { devCommand } from "./commands/dev.ts";
import { dlqCommand } from "./commands/dlq.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { emitCommand } from "./commands/emit.ts";
import { exportCommand } from "./commands/export.ts";
import { keysCommand } from "./commands/keys.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { retentionCommand } from "./commands/retention.ts";
import { routesCommand } from "./commands/routes.ts";
import { rulesCommand } from "./commands/rules.ts";
import { schemasCommand } from "./commands/schemas.ts";
import { silencesCommand } from "./commands/silences.ts";
import { tailCommand } from "./commands/tail.ts";
import type { CommandContext } from "./context.ts";
import { backtestCommand } from "./rules/backtest.ts";
import { ConfigError } from "../runtime/config.ts";
import { CliError, exitCode } from "./exit-code.ts";
import { processOutput } from "./output.ts";
import { packageVersion } from "./package.ts";

/** The whole command line; the context is what commands may touch of the process. */
export function createProgram(context: CommandContext): Command {
  const program = new Command("auditflow")
    .description("Watches over systems: audit events in, alerts out.")
    .version(packageVersion(), "-V, --version")
    .showSuggestionAfterError()
    .showHelpAfterError("(add --help for what is possible)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.output.out(text.trimEnd()),
      writeErr: (text) => context.output.err(text.trimEnd()),
    });
  const commands = [
    devCommand,
    emitCommand,
    tailCommand,
    alertsCommand,
    silencesCommand,
    deliveriesCommand,
    dlqCommand,
    exportCommand,
    routesCommand,
    channelsCommand,
    keysCommand,
    rulesCommand,
    // As `rules backtest`: a question about events as much as about rules.
    backtestCommand,
    migrateCommand,
    retentionCommand,
    schemasCommand,
    doctorCommand,
  ];
  for (const create of commands) program.addCommand(inherit(program, create(context)));
  return program.addHelpText(
    "after",
    "\nExit codes: 0 ok, 1 unexpected failure, 2 usage or configuration, 3 problems found, 4 not reachable, 5 not allowed, 6 not found, 7 conflict, 130 interrupted.",
  );
}

/** Sub-commands end and print the way the program does. */
function inherit(program: Command, command: Command): Command {
  command.copyInheritedSettings(program);
  for (const child of command.commands) inherit(program, child);
  return command;
}

/** Runs one command line and answers with the process's exit code. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const program = createProgram(context);
  try {
    if (argv.length === 0) {
      program.outputHelp({ error: true });
      return exitCode.usage;
    }
    await program.parseAsync(argv, { from: "user" });
    return context.exitCode();
  } catch (error) {
    return report(error, context);
  }
}

function report(error: unknown, { output }: CommandContext): number {
  // Commander has already printed its own errors; help and version end with 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  if (error instanceof ConfigError) {
    output.err(error.message);
    return exitCode.usage;
  }
  if (error instanceof CliError) {
    output.err(`${output.paint("red", "error:")} ${error.message}`);
    return error.exitCode;
  }
  output.err(
    `${output.paint("red", "unexpected error:")} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  return exitCode.failure;
}

if (
  import.meta.main ||
  process.argv[1]?.endsWith("auditflow.js") ||
  process.argv[1]?.endsWith("/auditflow")
) {
  let code: number = exitCode.ok;
  const interrupt = new AbortController();
  const context: CommandContext = {
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    output: processOutput(process),
    interactive: process.stdout.isTTY,
    interrupted: interrupt.signal,
    endWith: (value) => void (code = value),
    exitCode: () => code,
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      // The first one ends in order, the second one at once.
      if (interrupt.signal.aborted) process.exit(exitCode.interrupted);
      interrupt.abort(signal);
    });
  }
  process.exitCode = await run(process.argv.slice(2), context);
}
