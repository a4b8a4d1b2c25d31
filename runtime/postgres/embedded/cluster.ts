import { spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { access, chown, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";

import type { Binaries } from "./binaries.ts";
import { EmbeddedPostgresError } from "./failure.ts";
import type { Owner } from "./owner.ts";

/** A data directory and what works on it. */
export interface Cluster {
  readonly home: string;
  readonly data: string;
  readonly binaries: Binaries;
  readonly owner: Owner | undefined;
  /** False for tests: nothing is forced to disk. */
  readonly durable: boolean;
}

/** The one role and owner of everything; the server listens on loopback only. */
export const user = "auditflow";

/**
 * How a program runs on a data directory: inside of it, and with nothing of our environment (such as
 * `PGDATA`).
 */
export function programOptions({ owner }: Cluster, data: string): SpawnOptions {
  return { ...owner, cwd: data, env: { LC_ALL: "C", PATH: "/usr/local/bin:/usr/bin:/bin" } };
}

/**
 * How a program that runs inside of its data directory is told where that is. The owner that root chose may
 * be barred from a folder above it (a project under `/root`): it is put inside before it becomes the owner,
 * and this name leads there without a walk from the top. All processes of a server stay in their data
 * directory.
 */
export function dataName({ owner }: Cluster, data: string): string {
  return owner && process.platform === "linux" ? "/proc/self/cwd" : data;
}

/**
 * Makes the data directory unless there is one, and tells whether it did. It is made under another name and
 * renamed when complete, so a start that was killed meanwhile leaves nothing that looks usable; call under
 * the lock.
 */
export async function initialise(cluster: Cluster, token: string, password: string): Promise<boolean> {
  await removeLeftovers(cluster);
  const state = await inspect(cluster);
  if (state === "usable") return false;
  if (state === "broken") await rename(cluster.data, `${cluster.data}.broken-${token}`);
  const fresh = `${cluster.data}.new-${token}`;
  await mkdir(fresh, { mode: 0o700 });
  await give(cluster, fresh);
  await withSecretFile(cluster, password, (file) => initdb(cluster, fresh, file));
  await rename(fresh, cluster.data);
  return true;
}

function initdb(cluster: Cluster, data: string, passwordFile: string): Promise<void> {
  return runInitdb(cluster, data, [
    `--pgdata=${dataName(cluster, data)}`,
    `--username=${user}`,
    `--pwfile=${relative(data, passwordFile)}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
    ...(cluster.durable ? [] : ["--no-sync"]),
  ]);
}

/** Gives the role a new password in single-user mode, for a store whose password was lost. */
export async function resetPassword(cluster: Cluster, password: string): Promise<void> {
  const place = dataName(cluster, cluster.data);
  const child = spawn(cluster.binaries.postgres, ["--single", "-D", place, "postgres"], {
    ...programOptions(cluster, cluster.data),
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.stdin?.end(`alter role ${user} password '${password}'\n`);
  const [code] = await once(child, "exit");
  if (code !== 0) throw failed(`The password of ${cluster.data} could not be renewed (exit ${code}).`);
}

async function inspect({ data, binaries }: Cluster): Promise<"missing" | "broken" | "usable"> {
  const entries = await readdir(data).catch(() => undefined);
  if (!entries) return "missing";
  const version = await readFile(join(data, "PG_VERSION"), "utf8").catch(() => "");
  const control = await access(join(data, "global", "pg_control")).then(
    () => true,
    () => false,
  );
  if (version === "" || !control) return "broken";
  if (Number(version) === binaries.major) return "usable";
  throw new EmbeddedPostgresError(
    "EMBEDDED_VERSION",
    `${data} was written by PostgreSQL ${version.trim()}, the embedded one is ${binaries.major}. ` +
      "Move the folder away to start afresh, or set DATABASE_URL to a server that can read it.",
  );
}

async function removeLeftovers({ home }: Cluster): Promise<void> {
  for (const name of await readdir(home)) {
    if (/^(data\.new-|secret-)/.test(name)) await rm(join(home, name), { recursive: true, force: true });
  }
}

async function withSecretFile(
  cluster: Cluster,
  secret: string,
  work: (file: string) => Promise<void>,
): Promise<void> {
  const file = join(cluster.home, `secret-${process.pid}`);
  try {
    await writeFile(file, secret, { mode: 0o600 });
    await give(cluster, file);
    await work(file);
  } finally {
    await rm(file, { force: true });
  }
}

async function give({ owner }: Cluster, path: string): Promise<void> {
  if (owner) await chown(path, owner.uid, owner.gid);
}

async function runInitdb(cluster: Cluster, data: string, parameters: readonly string[]): Promise<void> {
  const program = cluster.binaries.initdb;
  const child = spawn(program, parameters, {
    ...programOptions(cluster, data),
    stdio: ["ignore", "ignore", "pipe"],
  });
  let output = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (output += text));
  const [code, signal] = await once(child, "close");
  if (code !== 0) throw failed(`${program} failed (${signal ?? `exit ${code}`}): ${output.trim()}`);
}

export function failed(message: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError("EMBEDDED_FAILED", message);
}
