import { Command } from "commander";

import { listRules, type RuleRow } from "../../functions/analysis/rules/list.ts";
import type { CommandContext } from "../context.ts";
import { table } from "../output.ts";
import { folderHelp, folderOf } from "./folder.ts";
import { printProblems } from "./problems.ts";

/** `auditflow rules list`: what a folder holds. */
export function listCommand(context: CommandContext): Command {
  return new Command("list")
    .description("list the rules")
    .argument("[folder]", folderHelp)
    .option("--json", "one JSON object a line")
    .action(async (folder: string | undefined, options: { readonly json?: boolean }) => {
      await list(await folderOf(folder, context), options.json === true, context);
    });
}

async function list(folder: string, json: boolean, { output }: CommandContext): Promise<void> {
  const { rules, problems } = await listRules(folder);
  const lines = json
    ? rules.map((rule) => JSON.stringify(rule))
    : table(["ID", "LEVEL", "KIND", "CASES", "TITLE", "FILE"], rules.map(cells));
  for (const line of lines) output.out(line);
  printProblems(problems, output);
}

function cells({ id, level, kind, cases, title, file }: RuleRow): readonly string[] {
  return [id, level, kind, String(cases), title, file];
}
