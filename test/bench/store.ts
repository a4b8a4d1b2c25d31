import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openEmbeddedPostgres } from "../../runtime/postgres/embedded.ts";
import { migrate } from "../../runtime/postgres/migrate.ts";
import { migrationFolders } from "../support/database.ts";

/** A folder that is gone when the benchmark is. */
export async function openFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "auditflow-bench-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/**
 * A PostgreSQL of the benchmark's own with all migrations applied. Unlike the tests' it is durable (fsync
 * on), because what a commit costs is the point.
 */
export async function openStore(): Promise<{ readonly url: string } & AsyncDisposable> {
  await using opening = new AsyncDisposableStack();
  const folder = opening.use(await openFolder());
  const server = opening.use(await openEmbeddedPostgres({ directory: folder.path }));
  await migrate({ url: server.url, directories: migrationFolders });
  const opened = opening.move();
  return { url: server.url, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
