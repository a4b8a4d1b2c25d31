import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import type { Log } from "../log.ts";
import { probe } from "./prober.ts";
import { locateBinaries } from "./embedded/binaries.ts";
import { type Cluster, initialise, resetPassword, user } from "./embedded/cluster.ts";
import { enter, leave, locked } from "./embedded/occupants.ts";
import { chooseOwner, makeFolder } from "./embedded/owner.ts";
import { findPostmaster, type Postmaster, startPostmaster, stopPostmaster } from "./embedded/postmaster.ts";

export interface EmbeddedOptions {
  /** Where it lives; made when missing. One store per folder. */
  readonly directory: string;
  /** Wanted port; 0, and a port that is taken, mean any free one. */
  readonly port?: number;
  /** False keeps nothing safe from a crash of the machine, and is faster: for tests. */
  readonly durable?: boolean;
  readonly log?: Log;
}

export interface EmbeddedPostgres extends AsyncDisposable {
  /** For `DATABASE_URL`: loopback only, with a password made for this folder. */
  readonly url: string;
  readonly port: number;
  /** The server's process. */
  readonly pid: number;
  /** True when the server ran already: somebody else's, or one a killed process left behind. */
  readonly adopted: boolean;
}

/**
 * Starts a PostgreSQL of our own in a folder, or joins the one that runs there. Every process that opened
 * it counts; the last one to dispose it stops it, and one that was killed no longer counts.
 *
 * Throws `EmbeddedPostgresError` when this platform has no binaries, when the data is of another major
 * version, or when the server does not start (with what it said).
 */
export async function openEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const token = randomBytes(6).toString("hex");
  const directory = resolve(options.directory);
  const owner = await chooseOwner(join(directory, "data"));
  await makeFolder(directory, owner);
  return locked(directory, token, async () => {
    const cluster: Cluster = {
      home: directory,
      data: join(directory, "data"),
      binaries: await locateBinaries(directory, owner),
      owner,
      durable: options.durable ?? true,
    };
    const { password, isNew } = await readPassword(directory);
    const isFresh = await initialise(cluster, token, password);
    const start = { password, isPasswordLost: isNew && !isFresh, port: options.port ?? 0 };
    const { server, adopted } = await startOrAdopt(cluster, start);
    await enter(directory, token);
    options.log?.debug({ ...server, adopted, directory }, "Embedded PostgreSQL is running.");
    return {
      url: urlOf(server, password),
      ...server,
      adopted,
      [Symbol.asyncDispose]: () =>
        locked(directory, token, async () => {
          if (await leave(directory, token)) await stopIfRunning(cluster);
        }),
    };
  });
}

/** How long a server that did not answer is given to stop in order. */
const unresponsiveMs = 3000;

/** The password of this folder's server, made on the first start and readable by us alone. */
async function readPassword(
  directory: string,
): Promise<{ readonly password: string; readonly isNew: boolean }> {
  const path = join(directory, "password");
  const known = await readFile(path, "utf8").catch(() => "");
  if (known !== "") return { password: known, isNew: false };
  const password = randomBytes(24).toString("base64url");
  await writeFile(path, password, { mode: 0o600 });
  return { password, isNew: true };
}

interface Start {
  readonly password: string;
  /** The data is there and nobody knows its password any more. */
  readonly isPasswordLost: boolean;
  readonly port: number;
}

async function startOrAdopt(
  cluster: Cluster,
  { password, isPasswordLost, port }: Start,
): Promise<{ readonly server: Postmaster; readonly adopted: boolean }> {
  const running = await findPostmaster(cluster);
  if (running && (await answers(running, password))) return { server: running, adopted: true };
  // It hangs, or knows another password: it cannot be joined.
  if (running) await stopPostmaster(cluster, running, unresponsiveMs);
  if (isPasswordLost) await resetPassword(cluster, password);
  const { pid, port: chosen } = await startPostmaster(cluster, port);
  return { server: { pid, port: chosen }, adopted: false };
}

async function answers(server: Postmaster, password: string): Promise<boolean> {
  const failure = await probe({
    url: urlOf(server, password),
    name: "auditflow",
    connectTimeoutMs: 5000,
    statementTimeoutMs: 5000,
  });
  return failure === undefined;
}

async function stopIfRunning(cluster: Cluster): Promise<void> {
  const running = await findPostmaster(cluster);
  if (running) await stopPostmaster(cluster, running);
}

function urlOf({ port }: Pick<Postmaster, "port">, password: string): string {
  return `postgres://${user}:${password}@127.0.0.1:${port}/postgres`;
}
