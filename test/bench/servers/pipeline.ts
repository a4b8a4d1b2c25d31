import { startPipeline } from "../../../cli/dev/pipeline.ts";
import { freePort } from "../../support/port.ts";
import { startProcess } from "../process.ts";

/**
 * The pipeline as it runs on servers: broker's ingress and dispatcher in this process, every function in one
 * of its own. Says where it listens on standard output; SIGTERM ends it.
 */
const { BENCH_PREFIX: prefix = "auditflow-bench", ...env } = process.env;
await using pipeline = await startPipeline({
  env,
  directory: ".",
  prefix,
  stages: { run: async (_name, work) => (await work()).value, note: () => {} },
  async start(name, settings) {
    const port = await freePort();
    const defined = Object.entries(settings).filter(([, value]) => value !== undefined);
    const started = await startProcess(["functions/main.ts"], port, {
      ...Object.fromEntries(defined),
      FUNCTION_TARGET: name,
      PORT: String(port),
    });
    return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => started[Symbol.asyncDispose]() };
  },
});
console.log(JSON.stringify({ ready: true, url: pipeline.urlOf("generator") }));
await new Promise((resolve) => process.once("SIGTERM", resolve));
