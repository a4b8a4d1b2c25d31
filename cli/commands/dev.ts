import { once } from "node:events";
import { Command } from "commander";
import { z } from "zod";

import { createLog } from "../../runtime/log.ts";
import { createMetrics } from "../../runtime/metrics.ts";
import type { CommandContext } from "../context.ts";
import { parseRate } from "./emit.ts";
import { openGateway } from "../dev/gateway.ts";
import { createLogLines } from "../dev/log-lines.ts";
import { createInProcessStart } from "../dev/in-process.ts";
import { claimFolder, refuseSecond } from "../dev/instance.ts";
import { createObserver } from "../dev/observer.ts";
import { type Pipeline, startPipeline } from "../dev/pipeline.ts";
import { parseDevConfig } from "../dev/config.ts";
import { choosePort } from "../dev/port.ts";
import { routeOf } from "../dev/routes.ts";
import { startSchedules } from "../dev/schedule.ts";
import { createStages, type Stages } from "../dev/stages.ts";
import { CliError, exitCode } from "../exit-code.ts";
import { packageVersion } from "../package.ts";
import { parseJson } from "../json.ts";

const directory = ".auditflow";
const host = "127.0.0.1";

interface DevOptions {
  readonly port?: number;
  readonly demo: boolean;
  readonly rate: number;
  readonly json?: boolean;
}

/** `auditflow dev`: the whole pipeline in one process. */
export function devCommand(context: CommandContext): Command {
  return new Command("dev")
    .description(
      "run the whole pipeline on this machine: broker, four functions and a store, no server needed",
    )
    .option(
      "--port <n>",
      "port of the one address everything is at (default: 8484 or the next free one; 0: any)",
      parsePort,
    )
    .option("--no-demo", "no demo traffic")
    .option("--rate <n>", "demo events a second", parseRate, 5)
    .option("--json", "one JSON object a line: each stage, then ready with url and pid")
    .addHelpText("after", environment)
    .action((options: DevOptions) => dev(options, context));
}

const environment = `
Environment:
  DATABASE_URL   a PostgreSQL to use instead of the embedded one in .auditflow/
  AMQP_URL       a RabbitMQ to use instead of the broker in this process
  REDIS_URL      a Redis to use for the state that functions share
  LOG_LEVEL      debug, info (default), warn or error
`;

async function dev(options: DevOptions, context: CommandContext): Promise<void> {
  const { output, env, interrupted } = context;
  const json = options.json ?? false;
  const stages = createStages({ output, json, now: () => performance.now() });
  const started = performance.now();
  const { logLevel } = await parseDevConfig(env);
  const destination = createLogLines({ output, json });
  const openLog = (name: string) => createLog({ name, level: logLevel, destination });
  await using running = new AsyncDisposableStack();

  stages.note(`\n  AuditFlow ${packageVersion()} · dev · node ${process.versions.node}\n`);
  await refuseSecond();
  const { port, note } = await choosePort(options.port, host);
  if (note) stages.note(`  ${note}`);
  let pipeline: Pipeline | undefined;
  const gateway = running.use(
    await openGateway({ host, port }, (method, url) => {
      const { name, path } = routeOf(method, url);
      const base = pipeline?.urlOf(name);
      return base === undefined ? undefined : { base, path };
    }),
  );
  running.use(await claimFolder(directory, gateway.url));
  pipeline = running.use(
    await startPipeline({
      env: { AUDITFLOW_DOCS: "true", AUDITFLOW_DASHBOARD_URL: gateway.url, ...env },
      directory,
      stages,
      start: createInProcessStart(openLog),
      observer: createObserver({ log: openLog("broker"), metrics: createMetrics("broker") }),
    }),
  );
  running.use(startSchedules(schedules(pipeline), openLog("schedule")));
  await setDemo(pipeline, options);
  sayReady({ url: gateway.url, options, seconds: (performance.now() - started) / 1000, stages, context });
  if (!interrupted.aborted) await once(interrupted, "abort");
  stages.note("\n  Stopping: finishing what is in flight (Ctrl-C again to stop at once).");
}

/** What PingSources do on a cluster. */
function schedules(pipeline: Pipeline) {
  const at = (name: string, path: string) => () => {
    const base = pipeline.urlOf(name);
    return base === undefined ? undefined : new URL(path, base).href;
  };
  return [
    { name: "generator-tick", pattern: "* * * * * *", url: at("generator", "/generator/tick") },
    { name: "reconcile", pattern: "0 * * * * *", url: at("analysis", "/reconcile") },
    { name: "deliveries", pattern: "*/10 * * * * *", url: at("notification", "/deliveries/run") },
  ];
}

/** The demo's first minute is already past when it begins, so that there is something to see at once. */
const demoHeadStartMs = 60_000;

async function setDemo(pipeline: Pipeline, { demo, rate }: DevOptions): Promise<void> {
  const startedAt = new Date(Date.now() - demoHeadStartMs).toISOString();
  const response = await fetch(new URL("/generator", pipeline.urlOf("generator")), {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ on: demo, ...(demo ? { events_per_second: rate, started_at: startedAt } : {}) }),
  });
  if (response.ok) return;
  const text = await response.text();
  const problem = z.looseObject({ detail: z.string() }).safeParse(parseJson(text));
  throw new CliError(`--rate ${rate}: ${problem.data?.detail ?? text}`, exitCode.usage);
}

function sayReady(ready: {
  readonly url: string;
  readonly options: DevOptions;
  readonly seconds: number;
  readonly stages: Stages;
  readonly context: CommandContext;
}): void {
  const { url, options, seconds, stages, context } = ready;
  if (options.json) return context.output.out(JSON.stringify({ ready: true, url, pid: process.pid }));
  const demo = options.demo
    ? `Demo traffic: ${options.rate} events/s (off with --no-demo).`
    : "No demo traffic.";
  stages.note("");
  context.output.out(`  Dashboard  ${url}`);
  stages.note(
    `  Events in  POST ${url}/events      Alerts  GET ${url}/alerts\n\n  Ready in ${seconds.toFixed(1)} s. ${demo} Ctrl-C stops.\n`,
  );
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new CliError(`--port "${text}" is not a port: expected 0 to 65535.`, exitCode.usage);
}
