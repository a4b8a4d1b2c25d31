import { Command } from "commander";

import type { CommandContext } from "../context.ts";
import { lintCommand } from "../routes/lint.ts";
import { tryCommand } from "../routes/try.ts";

/** `auditflow routes`: whether a routes file is right, and what it does. */
export function routesCommand(context: CommandContext): Command {
  const routes = new Command("routes").description("check a routes file, and tell where alerts would go");
  for (const create of [lintCommand, tryCommand]) routes.addCommand(create(context));
  return routes;
}
