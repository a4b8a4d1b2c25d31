import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { dropBrokerObjects, dropKeys } from "../support/cleanup.ts";
import { rabbitmq, redis } from "../support/servers.ts";
import { endProcess } from "./process.ts";
import { openFolder, openStore } from "./store.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A whole pipeline under measurement, in processes of its own. */
export interface MeasuredPipeline extends AsyncDisposable {
  readonly name: string;
  /** Where `POST /` takes audit events. */
  readonly port: number;
  readonly databaseUrl: string;
}

/** `auditflow dev`: everything but PostgreSQL in one process, behind its one address. */
export async function openEmbedded(): Promise<MeasuredPipeline> {
  await using opening = new AsyncDisposableStack();
  const store = opening.use(await openStore());
  const folder = opening.use(await openFolder());
  const args = [join(root, "cli/auditflow.js"), "dev", "--no-demo", "--port", "0", "--json"];
  const port = await start(opening, { args, cwd: folder.path, env: { DATABASE_URL: store.url } });
  return handOver(opening, { name: "embedded", port, databaseUrl: store.url });
}

/** RabbitMQ, Redis and PostgreSQL; broker and functions in five processes. `undefined` without the servers. */
export async function openOnServers(): Promise<MeasuredPipeline | undefined> {
  if (!rabbitmq.reachable || !redis.reachable) return undefined;
  await using opening = new AsyncDisposableStack();
  const prefix = `auditflow-bench-${randomBytes(5).toString("hex")}`;
  const store = opening.use(await openStore());
  opening.defer(() => dropKeys(redis.url, `${prefix}:`));
  opening.defer(() => dropBrokerObjects(rabbitmq.url, prefix));
  const port = await start(opening, {
    args: ["test/bench/servers/pipeline.ts"],
    cwd: root,
    env: {
      DATABASE_URL: store.url,
      AMQP_URL: rabbitmq.url,
      REDIS_URL: redis.url,
      AUDITFLOW_REDIS_PREFIX: `${prefix}:`,
      BENCH_PREFIX: prefix,
    },
  });
  return handOver(opening, { name: "on servers", port, databaseUrl: store.url });
}

function handOver(
  opening: AsyncDisposableStack,
  pipeline: Omit<MeasuredPipeline, typeof Symbol.asyncDispose>,
): MeasuredPipeline {
  const opened = opening.move();
  return { ...pipeline, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

interface Command {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Starts a process that says on a line of its standard output where it is, and answers with the port. */
async function start(opening: AsyncDisposableStack, { args, cwd, env }: Command): Promise<number> {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { PATH: process.env["PATH"], NODE_ENV: "production", LOG_LEVEL: "error", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  opening.defer(() => endProcess(child, "SIGTERM"));
  const ended = once(child, "exit").then(() => undefined);
  const url = await Promise.race([readyUrl(child), ended]);
  if (url === undefined) throw new Error(`${args.join(" ")} ended before it was ready`);
  return Number(new URL(url).port);
}

async function readyUrl({ stdout }: ChildProcess): Promise<string | undefined> {
  if (!stdout) return undefined;
  return new Promise((resolve) => {
    createInterface({ input: stdout }).on("line", (line) => {
      const { ready, url }: { ready?: boolean; url?: string } = JSON.parse(line);
      if (ready) resolve(url);
    });
  });
}
