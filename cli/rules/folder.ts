import { stat } from "node:fs/promises";

import type { CommandContext } from "../context.ts";
import { CliError, exitCode } from "../exit-code.ts";
import { packageRoot } from "../package.ts";

/** Explains the `[folder]` argument of the commands about rules. */
export const folderHelp =
  "folder of rules (default: $AUDITFLOW_RULES_DIR, else the rules that come with AuditFlow)";

/** The folder a command works on; throws CliError when it is none. */
export async function folderOf(given: string | undefined, { env }: CommandContext): Promise<string> {
  const folder = given ?? env["AUDITFLOW_RULES_DIR"] ?? `${packageRoot}rules`;
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return folder;
  const hint = found ? " A pack is built from one: these commands want what it was built from." : "";
  throw new CliError(`"${folder}" is not a folder of rules.${hint}`, exitCode.usage);
}
