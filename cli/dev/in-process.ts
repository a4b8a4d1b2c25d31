import { targets } from "../../functions/index.ts";
import type { Environment } from "../../runtime/config.ts";
import type { Log } from "../../runtime/log.ts";
import { serve } from "../../runtime/serve.ts";
import type { FunctionName, Started } from "./pipeline.ts";

/** Starts functions in this process, each on a free loopback port of its own. */
export function createInProcessStart(openLog: (name: string) => Log) {
  return async (name: FunctionName, env: Environment): Promise<Started> => {
    const load = targets[name];
    if (!load) throw new Error(`functions/index.ts has no '${name}'.`);
    return serve(await load(), { env, port: 0, host: "127.0.0.1", overrides: { log: openLog(name) } });
  };
}
