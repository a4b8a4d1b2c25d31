import { Command } from "commander";

import type { CommandContext } from "../context.ts";
import { backtestCommand } from "../rules/backtest.ts";
import { benchCommand } from "../rules/bench.ts";
import { buildCommand } from "../rules/build.ts";
import { coverageCommand } from "../rules/coverage.ts";
import { explainCommand } from "../rules/explain.ts";
import { lintCommand } from "../rules/lint.ts";
import { listCommand } from "../rules/list.ts";
import { testCommand } from "../rules/cases.ts";

/** `auditflow rules`: what the rules of a folder are, whether they are sound, and what they would do. */
export function rulesCommand(context: CommandContext): Command {
  const rules = new Command("rules").description("test, check, explain and compare detection rules");
  for (const create of [
    testCommand,
    lintCommand,
    listCommand,
    explainCommand,
    coverageCommand,
    benchCommand,
    backtestCommand,
    buildCommand,
  ])
    rules.addCommand(create(context));
  return rules;
}
