import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type EmbeddedPostgres, openEmbeddedPostgres } from "../../runtime/postgres/embedded.ts";
import { migrate } from "../../runtime/postgres/migrate.ts";
import { migrationFolders } from "./database.ts";

/** A PostgreSQL of a fault test's own, to be stopped and killed at will. */
export interface TestPostgresServer extends AsyncDisposable {
  /** Stays the same over restarts. */
  readonly url: string;
  readonly port: number;
  /** Starts it again, on the same data and port. */
  start(): Promise<void>;
  /** Stops it as an administrator would. */
  stop(): Promise<void>;
  /** Kills it as the kernel would; what it had started may answer for another moment. */
  kill(): Promise<void>;
  /** Stops and continues its process: it keeps its port and answers nothing. */
  freeze(): void;
  thaw(): void;
}

/** Starts one in a folder and on a port of its own, migrated unless told otherwise. */
export async function openPostgresServer({ migrated = true } = {}): Promise<TestPostgresServer> {
  const directory = await mkdtemp(join(tmpdir(), "auditflow-postgres-"));
  let running: EmbeddedPostgres | undefined = await openEmbeddedPostgres({ directory });
  const { url, port } = running;
  const stop = async () => {
    await running?.[Symbol.asyncDispose]();
    running = undefined;
  };
  if (migrated) await migrate({ url, directories: migrationFolders });
  const signal = (name: NodeJS.Signals) => {
    if (running) process.kill(running.pid, name);
  };
  return {
    url,
    port,
    stop,
    async start() {
      running ??= await openEmbeddedPostgres({ directory, port });
      if (running.port !== port) throw new Error(`Port ${port} was taken by somebody else meanwhile.`);
    },
    async kill() {
      signal("SIGKILL");
      await stop();
    },
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
    async [Symbol.asyncDispose]() {
      signal("SIGCONT");
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
