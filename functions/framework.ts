import { registerTargets } from "../runtime/framework.ts";
import { reportFailure } from "../runtime/report-failure.ts";
import { targets } from "./index.ts";

/**
 * The module functions-framework loads (`main` in package.json): `npx functions-framework --target=analysis`.
 * Our own process entry is main.ts, which does without the framework.
 */
registerTargets(targets, {
  env: process.env,
  target: targetOf(process.argv) ?? process.env["FUNCTION_TARGET"],
  exit(error) {
    if (error === undefined) process.exit(0);
    process.exit(reportFailure(error));
  },
});

/** `--target=name` or `--target name`, as the framework's own command line reads it. */
function targetOf(argv: readonly string[]): string | undefined {
  return /(?:^| )--target[= ](\S+)/.exec(argv.join(" "))?.[1];
}
