import { access, constants, mkdir } from "node:fs/promises";
import { Command } from "commander";

import type { CommandContext } from "../context.ts";
import { type Check, checkNode, checkReachable, checkRules, checkRunning } from "../doctor/checks.ts";
import { listSettings } from "../doctor/settings.ts";
import { exitCode } from "../exit-code.ts";
import { table } from "../output.ts";

const directory = ".auditflow";

/** `auditflow doctor`: looks at what the pipeline needs and says what to do about what is wrong. */
export function doctorCommand({ env, output, endWith }: CommandContext): Command {
  return new Command("doctor")
    .description("check this machine and the servers it is told to use; ends with 3 when something is wrong")
    .option("--json", "one JSON object a line for each check")
    .option("--config", "list every setting: the environment variable, who reads it, its default")
    .action(async ({ json = false, config = false }: { json?: boolean; config?: boolean }) => {
      if (config) return printSettings(json);
      const checks = await Promise.all([
        checkNode(process.versions.node),
        checkFolder(),
        checkReachable("DATABASE_URL", env["DATABASE_URL"], "the embedded PostgreSQL is used"),
        checkReachable("AMQP_URL", env["AMQP_URL"], "the broker in the process is used"),
        checkReachable("REDIS_URL", env["REDIS_URL"], "state is kept in the process"),
        checkRules(env["AUDITFLOW_RULES_DIR"]),
        checkRunning(),
      ]);
      for (const check of checks) output.out(json ? JSON.stringify(check) : line(check));
      const failed = checks.filter(({ ok }) => !ok).length;
      output.err(failed === 0 ? "all well" : `${failed} of ${checks.length} checks failed`);
      if (failed > 0) endWith(exitCode.problems);
    });

  async function printSettings(json: boolean): Promise<void> {
    const settings = await listSettings();
    const rows = settings.map(({ name, readBy, otherwise }) => [name, otherwise, readBy.join(", ")]);
    for (const row of json
      ? settings.map((setting) => JSON.stringify(setting))
      : table(["VARIABLE", "DEFAULT", "READ BY"], rows))
      output.out(row);
  }

  function line({ name, ok, detail, fix }: Check): string {
    const mark = output.paint(ok ? "green" : "red", ok ? "✓" : "✗");
    return `${mark} ${name.padEnd(14)} ${detail}${fix === undefined ? "" : `\n    fix: ${fix}`}`;
  }
}

async function checkFolder(): Promise<Check> {
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK);
    return { name: "folder", ok: true, detail: `${directory}/ can be written` };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { name: "folder", ok: false, detail, fix: "run it in a folder of your own" };
  }
}
