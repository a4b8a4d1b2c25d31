import type { Command } from "commander";

import type { ApiOptions } from "./api.ts";
import { type Format, formatOption } from "./print.ts";

/** What every command that talks to the API takes. */
export interface CommonOptions extends ApiOptions {
  readonly output: Format;
}

/** Adds the options that every command of the API takes. */
export function withApiOptions(command: Command): Command {
  return command
    .option("--target <url>", "the running AuditFlow (default: $AUDITFLOW_URL, else the one started here)")
    .option("--token-file <path>", "file with an API key or token (default: $AUDITFLOW_TOKEN)")
    .addOption(formatOption());
}

/**
 * Who does it: `--by`, else the user of this machine. With a token there is a login, which says who it is,
 * and the API refuses another name.
 */
export function byOf(
  { by, tokenFile }: { readonly by?: string; readonly tokenFile?: string },
  env: NodeJS.ProcessEnv,
): string | undefined {
  if (by !== undefined || tokenFile !== undefined || env["AUDITFLOW_TOKEN"]) return by;
  return env["USER"] ?? env["LOGNAME"] ?? "cli";
}
