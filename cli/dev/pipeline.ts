import { pathToFileURL } from "node:url";

import type { BrokerObserver } from "../../events/broker/broker.ts";
import { type LocalBroker, openLocalBroker } from "../../events/broker/local.ts";
import { analysis } from "../../functions/analysis/function.ts";
import { dashboard } from "../../functions/dashboard/function.ts";
import { generator } from "../../functions/generator/function.ts";
import { notification } from "../../functions/notification/function.ts";
import type { Log } from "../../runtime/log.ts";
import { openEmbeddedPostgres } from "../../runtime/postgres/embedded.ts";
import { migrate } from "../../runtime/postgres/migrate.ts";
import { serve, type Served } from "../../runtime/serve.ts";
import { packageRoot } from "../package.ts";
import type { Stages } from "./stages.ts";

/** What the pipeline runs on; each server left out is embedded. */
export interface PipelineOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Folder of the embedded store. */
  readonly directory: string;
  readonly log: Log;
  readonly stages: Stages;
}

export interface Pipeline extends AsyncDisposable {
  /** Base URL of a function, once it listens. */
  urlOf(name: string): string | undefined;
  readonly broker: LocalBroker;
}

const migrations = ["runtime/ledger/migrations", "functions/notification/store/migrations"];

/** Starts store, broker and the four functions, in the order their needs give, in this process. */
export async function startPipeline({ env, directory, log, stages }: PipelineOptions): Promise<Pipeline> {
  await using opening = new AsyncDisposableStack();
  const urls = new Map<string, string>();

  const databaseUrl = await stages.run("store", async () => {
    const { url, detail } = await openStore(env["DATABASE_URL"], { directory, opening });
    await migrate({
      url,
      directories: migrations.map((path) => pathToFileURL(`${packageRoot}${path}/`).href),
    });
    return { detail, value: url };
  });

  const broker = await stages.run("broker", async () => {
    const opened = await openLocalBroker({
      manifests: `${packageRoot}knative/base`,
      amqpUrl: env["AMQP_URL"],
      resolve: (name) => urls.get(name) ?? notStarted(name),
      observer: observe(log),
    });
    opening.use(opened);
    return { detail: env["AMQP_URL"] ? "RabbitMQ" : "in this process", value: opened };
  });

  await stages.run("functions", async () => {
    const shared = {
      AUDITFLOW_RULES_DIR: `${packageRoot}rules`,
      ...env,
      PORT: undefined,
      DATABASE_URL: databaseUrl,
      K_SINK: broker.url,
    };
    const start = async (
      run: (environment: NodeJS.ProcessEnv) => Promise<Served>,
      extra: NodeJS.ProcessEnv = {},
    ) => opening.use(await run({ ...shared, ...extra }));
    // Each of the four has its own configuration type, hence four calls and no loop.
    const options = { port: 0, host: "127.0.0.1", overrides: { log } };
    const store = await start((env) => serve(notification, { env, ...options }));
    urls.set("notification", store.url);
    urls.set("analysis", (await start((env) => serve(analysis, { env, ...options }))).url);
    urls.set("generator", (await start((env) => serve(generator, { env, ...options }))).url);
    const page = await start((env) => serve(dashboard, { env, ...options }), {
      AUDITFLOW_NOTIFICATION_URL: store.url,
    });
    urls.set("dashboard", page.url);
    return { detail: [...urls.keys()].toReversed().join(" · "), value: undefined };
  });

  const opened = opening.move();
  return { broker, urlOf: (name) => urls.get(name), [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

async function openStore(
  url: string | undefined,
  { directory, opening }: { readonly directory: string; readonly opening: AsyncDisposableStack },
): Promise<{ readonly url: string; readonly detail: string }> {
  if (url !== undefined) return { url, detail: "PostgreSQL at DATABASE_URL" };
  const embedded = opening.use(await openEmbeddedPostgres({ directory: `${directory}/postgres` }));
  return { url: embedded.url, detail: `embedded PostgreSQL in ${directory}` };
}

function notStarted(name: string): never {
  throw new Error(`The function '${name}' has not started yet.`);
}

function observe(_log: Log): BrokerObserver {
  return {};
}
