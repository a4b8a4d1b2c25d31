import { fileURLToPath, pathToFileURL } from "node:url";

import { type LocalBroker, openLocalBroker } from "../../events/broker/local.ts";
import type { BrokerObserver } from "../../events/broker/broker.ts";
import type { Environment } from "../../runtime/config.ts";
import { openEmbeddedPostgres } from "../../runtime/postgres/embedded.ts";
import { migrate } from "../../runtime/postgres/migrate.ts";
import { migrationFolders } from "../migrations.ts";
import { packageRoot } from "../package.ts";
import type { Stages } from "./stages.ts";

/** The functions, in the order they start: each before those that need it. */
const functionNames = ["notification", "analysis", "generator", "dashboard"] as const;
export type FunctionName = (typeof functionNames)[number];

/** A function that listens. */
export interface Started extends AsyncDisposable {
  readonly url: string;
}

/** What the pipeline runs on; each server left out is embedded. */
export interface PipelineOptions {
  readonly env: Environment;
  /** Folder of the embedded store. */
  readonly directory: string;
  readonly stages: Stages;
  /** Starts one function with its environment: in this process, or as a process of its own. */
  readonly start: (name: FunctionName, env: Environment) => Promise<Started>;
  readonly observer?: BrokerObserver;
  /** Keeps exchanges and queues apart from those of others on the same RabbitMQ. */
  readonly prefix?: string;
}

export interface Pipeline extends AsyncDisposable {
  /** Base URL of a function, once it listens. */
  urlOf(name: string): string | undefined;
  readonly broker: LocalBroker;
}

/** Starts store, broker and functions, in the order their needs give. */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { env, stages } = options;
  await using opening = new AsyncDisposableStack();
  const urls = new Map<string, string>();

  const databaseUrl = await stages.run("store", async () => {
    const store = await openStore(options, opening);
    await migrate({ url: store.value, directories: migrationFolders });
    return store;
  });

  const broker = await stages.run("broker", async () => {
    const opened = opening.use(
      await openLocalBroker({
        manifests: fileURLToPath(pathToFileURL(`${packageRoot}knative/base`)),
        amqpUrl: env["AMQP_URL"],
        resolve: (name) => urls.get(name) ?? notStarted(name),
        ...(options.observer ? { observer: options.observer } : {}),
        ...(options.prefix === undefined ? {} : { prefix: options.prefix }),
      }),
    );
    return { detail: env["AMQP_URL"] ? "RabbitMQ at AMQP_URL" : "in this process", value: opened };
  });

  await stages.run("functions", async () => {
    const shared = {
      AUDITFLOW_RULES_DIR: `${packageRoot}rules`,
      ...env,
      PORT: undefined,
      DATABASE_URL: databaseUrl,
      K_SINK: broker.url,
    };
    for (const name of functionNames) {
      const started = await options.start(name, {
        ...shared,
        AUDITFLOW_NOTIFICATION_URL: urls.get("notification"),
      });
      urls.set(name, opening.use(started).url);
    }
    return { detail: functionNames.toReversed().join(" · "), value: undefined };
  });

  const opened = opening.move();
  return { broker, urlOf: (name) => urls.get(name), [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

async function openStore({ env, directory }: PipelineOptions, opening: AsyncDisposableStack) {
  const url = env["DATABASE_URL"];
  if (url !== undefined) return { value: url, detail: "PostgreSQL at DATABASE_URL" };
  const embedded = opening.use(await openEmbeddedPostgres({ directory: `${directory}/postgres` }));
  return { value: embedded.url, detail: `embedded PostgreSQL in ${directory}/` };
}

function notStarted(name: string): never {
  throw new Error(`The function '${name}' has not started yet.`);
}
