import type { Environment } from "./config.ts";
import type { FunctionDefinition } from "./function.ts";
import { reportFailure } from "./report-failure.ts";
import { serve, type Served } from "./serve.ts";

const signals = ["SIGTERM", "SIGINT"] as const;

/**
 * The life of a process that serves one function. The first SIGTERM or SIGINT drains and ends it with 0,
 * the second ends it at once with 130; a start that fails ends it with 2 when the configuration is wrong,
 * else with 1.
 */
export async function runFunction(load: () => Promise<FunctionDefinition>, env: Environment): Promise<void> {
  const starting = Promise.withResolvers<Served>();
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) process.exit(130);
    stopping = true;
    try {
      const served = await starting.promise;
      await served[Symbol.asyncDispose]();
      process.exit(0);
    } catch (error) {
      process.exit(reportFailure(error));
    }
  };
  for (const signal of signals) process.on(signal, () => void stop());
  try {
    starting.resolve(await serve(await load(), { env }));
  } catch (error) {
    process.exit(reportFailure(error));
  }
}
