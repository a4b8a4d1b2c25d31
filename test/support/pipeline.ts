import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, vi } from "vitest";

import { createInProcessStart } from "../../cli/dev/in-process.ts";
import { type FunctionName, type Started, startPipeline } from "../../cli/dev/pipeline.ts";
import type { BrokerObserver } from "../../events/broker/broker.ts";
import type { Environment } from "../../runtime/config.ts";
import type { Ledger } from "../../runtime/ledger/ledger.ts";
import { openPostgresLedger } from "../../runtime/ledger/postgres.ts";
import { createLog } from "../../runtime/log.ts";
import { openPostgres } from "../../runtime/postgres/postgres.ts";
import { openTestDatabase } from "./database.ts";
import { freePort } from "./port.ts";
import { dropBrokerObjects, dropKeys } from "./cleanup.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const log = createLog({ name: "test", level: "silent" });

/** One alert as `GET /alerts` answers it; every column, loosely. */
export interface AlertRow {
  readonly alert_id: string;
  readonly rule_id: string;
  readonly count: number;
  readonly [column: string]: unknown;
}

/** The whole pipeline, on servers and names of its own. */
export interface TestPipeline extends AsyncDisposable {
  urlOf(name: FunctionName): string;
  readonly ledger: Ledger;
  alerts(): Promise<readonly AlertRow[]>;
  /** Waits until every accepted event is evaluated or rejected and every detection stored. */
  settled(accepted: number): Promise<void>;
}

export interface TestPipelineOptions {
  /** Servers to use instead of the embedded broker and state. */
  readonly amqpUrl?: string;
  readonly redisUrl?: string;
  readonly env?: Environment;
  /** How functions are run; in this process by default. */
  readonly start?: (name: FunctionName, env: Environment) => Promise<Started>;
  readonly observer?: BrokerObserver;
}

export async function openTestPipeline(options: TestPipelineOptions = {}): Promise<TestPipeline> {
  await using opening = new AsyncDisposableStack();
  const name = `auditflow-test-${randomBytes(5).toString("hex")}`;
  const database = opening.use(await openTestDatabase());
  if (options.redisUrl) opening.defer(() => dropKeys(options.redisUrl ?? "", `${name}:`));
  if (options.amqpUrl) opening.defer(() => dropBrokerObjects(options.amqpUrl ?? "", name));
  const pipeline = opening.use(
    await startPipeline({
      env: {
        DATABASE_URL: database.url,
        AMQP_URL: options.amqpUrl,
        REDIS_URL: options.redisUrl,
        AUDITFLOW_REDIS_PREFIX: `${name}:`,
        // Tests count alerts one by one, and send faster than people sin.
        AUDITFLOW_FLOOD_LIMIT: "0",
        ...options.env,
      },
      directory: ".auditflow",
      stages: { run: async (_name, work) => (await work()).value, note: () => {} },
      start: options.start ?? createInProcessStart(() => log),
      prefix: name,
      ...(options.observer ? { observer: options.observer } : {}),
    }),
  );
  const postgres = opening.use(await openPostgres({ url: database.url, name: "test", max: 2, log }));
  const ledger = openPostgresLedger(postgres, { log });
  const urlOf = (name: FunctionName) => pipeline.urlOf(name) ?? "";
  const opened = opening.move();
  return {
    urlOf,
    ledger,
    alerts: async () => {
      const response = await fetch(`${urlOf("notification")}/alerts?limit=500`);
      expect(response.status).toBe(200);
      return (await response.json()) as readonly AlertRow[];
    },
    async settled(accepted) {
      const patience = { timeout: 60_000, interval: 50 };
      await vi.waitFor(async () => {
        expect(await ledger.counts()).toMatchObject({ accepted, pending: 0 });
      }, patience);
      await vi.waitFor(async () => {
        expect(await ledger.unstored({ olderThanMs: 0, limit: 10 })).toEqual([]);
      }, patience);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Runs a function as a process of its own: by our `main.ts`, or by functions-framework's command line. */
export function spawnFunction(host: "serve" | "framework") {
  return async (name: FunctionName, env: Environment): Promise<Started> => {
    const port = await freePort();
    const args =
      host === "serve"
        ? ["functions/main.ts"]
        : ["node_modules/.bin/functions-framework", `--target=${name}`, `--port=${port}`];
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: {
        ...definedOf(env),
        PATH: process.env["PATH"],
        FUNCTION_TARGET: name,
        PORT: String(port),
        LOG_LEVEL: "warn",
        // The framework listens on all addresses, whatever it is told.
        ...(host === "serve" ? { AUDITFLOW_HOST: "127.0.0.1" } : { AUDITFLOW_AUTH: "none" }),
      },
      stdio: ["ignore", "inherit", "inherit"],
    });
    const url = `http://127.0.0.1:${port}`;
    await answers(child, url);
    return { url, [Symbol.asyncDispose]: () => stop(child) };
  };
}

async function answers(child: ChildProcess, url: string): Promise<void> {
  await vi.waitFor(
    async () => {
      if (child.exitCode !== null) throw new Error(`the function ended with ${child.exitCode}`);
      expect((await fetch(`${url}/livez`)).status).toBe(200);
    },
    { timeout: 30_000, interval: 50 },
  );
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}

function definedOf(env: Environment): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
}
