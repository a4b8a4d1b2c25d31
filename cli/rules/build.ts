import { rename, writeFile } from "node:fs/promises";
import { Command } from "commander";

import { buildPack, type BuiltPack } from "../../functions/analysis/rules/pack-build.ts";
import type { CommandContext } from "../context.ts";
import { CliError, exitCode } from "../exit-code.ts";
import { packageVersion } from "../package.ts";
import { folderHelp, folderOf } from "./folder.ts";
import { hasErrors, printProblems } from "./problems.ts";

/** `auditflow rules build`: makes one file of a folder of rules, which a function loads faster. */
export function buildCommand(context: CommandContext): Command {
  return new Command("build")
    .description("compile a folder of rules into one pack; ends with 3 when rules had to be left out")
    .argument("[folder]", folderHelp)
    .option("--out <file>", "where to write the pack", "rules.pack.json")
    .action(async (folder: string | undefined, { out }: { readonly out: string }) => {
      await build(await folderOf(folder, context), out, context);
    });
}

/** Rules with errors, and those that fail their own cases, are left out of the pack and named. */
async function build(folder: string, file: string, { output, endWith }: CommandContext): Promise<void> {
  const pack = await buildPack(folder, `auditflow ${packageVersion()}`);
  printProblems(pack.problems, output);
  if (pack.text === undefined) output.err("no rule is left to pack: nothing was written");
  else {
    await replaceFile(file, pack.text);
    output.out(summary(file, pack));
  }
  if (pack.text === undefined || hasErrors(pack.problems)) endWith(exitCode.problems);
}

function summary(file: string, { text = "", ruleSet, logsources, cases }: BuiltPack): string {
  const rules = `${count(ruleSet.rules.length, "rule")} of ${count(logsources, "log source")}`;
  const correlations = count(ruleSet.correlations.length, "correlation");
  const verdict = `${cases.passed} cases passed, ${cases.failed} failed`;
  const kib = `${Math.ceil(Buffer.byteLength(text) / 1024)} KiB`;
  return `${file}: ${rules}, ${correlations}; ${verdict}; ${kib}; rule set ${ruleSet.hash}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** In one step, so that who watches the file never reads half of it. */
async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, text);
    await rename(temporary, file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(`--out ${file}: ${reason}`, exitCode.usage, { cause: error });
  }
}
