import { ConfigError } from "../runtime/config.ts";
import { serve, type Served } from "../runtime/serve.ts";
import { targets } from "./index.ts";

/** Runs the function that `FUNCTION_TARGET` names until SIGTERM or SIGINT. */
async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const starting = Promise.withResolvers<Served>();
  // A failed start is reported below; a signal may come before anybody waits for it.
  starting.promise.catch(() => {});
  for (const signal of ["SIGTERM", "SIGINT"] as const) onSignal(signal, starting.promise);
  try {
    const target = env["FUNCTION_TARGET"] ?? "";
    const load = Object.hasOwn(targets, target) ? targets[target] : undefined;
    if (!load) throw new ConfigError([unknownTarget(target)]);
    starting.resolve(await serve(await load(), { env }));
  } catch (error) {
    starting.reject(error);
    fail(error);
  }
}

/** The first signal drains and ends with 0, the second one ends at once. */
function onSignal(signal: "SIGTERM" | "SIGINT", starting: Promise<Served>): void {
  process.once(signal, () => {
    for (const again of ["SIGTERM", "SIGINT"] as const) process.once(again, () => process.exit(130));
    starting.then((served) => served[Symbol.asyncDispose]()).then(() => process.exit(0), fail);
  });
}

function unknownTarget(target: string) {
  const choices = Object.keys(targets).join("|");
  return {
    name: "FUNCTION_TARGET",
    detail:
      target === "" ? `is required and not set: one of ${choices}.` : `"${target}" is not one of ${choices}.`,
  };
}

function fail(error: unknown): never {
  const readable = error instanceof ConfigError;
  const text =
    error instanceof Error ? (readable ? error.message : (error.stack ?? error.message)) : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(readable ? error.exitCode : 1);
}

await main(process.env);
