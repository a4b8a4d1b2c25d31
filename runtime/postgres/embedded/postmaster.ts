import { type ChildProcess, spawn } from "node:child_process";
import { open, readFile, readlink, realpath, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { type Cluster, dataName, failed, programOptions } from "./cluster.ts";
import { isRunning } from "./occupants.ts";

/** A running server. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
}

const pollMs = 10;
const startMs = 60_000;

/** Fast shutdown, then without a checkpoint (the next start recovers), then by force. */
const stopSignals = ["SIGINT", "SIGQUIT", "SIGKILL"] as const;
const stopMs = 15_000;

/** How long the process may still take to go when its note is gone. */
const goneMs = 2000;

/** About twenty seconds: on a busy machine it takes a while until all backends of a killed server are gone. */
const maxStarts = 45;

/** Starts the server on the wanted port or, when that is 0 or taken, on a free one. */
export async function startPostmaster(cluster: Cluster, wanted: number): Promise<Postmaster> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(attempt === 1 ? wanted : 0);
    const outcome = await launch(cluster, port);
    if (typeof outcome !== "string") return outcome;
    // Somebody took the port meanwhile, or backends of a killed server have not ended yet.
    const passing = /could not bind|in use/.test(outcome);
    if (!passing || attempt === maxStarts)
      throw failed(`PostgreSQL did not start in ${cluster.data}: ${outcome}`);
    await wait(Math.min(attempt * 50, 500));
  }
}

/** Answers the running server, or what it said before it ended. */
async function launch(cluster: Cluster, port: number): Promise<Postmaster | string> {
  const log = join(cluster.home, "server.log");
  const output = await open(log, "w", 0o600);
  const place = dataName(cluster, cluster.data);
  const child = spawn(cluster.binaries.postgres, ["-D", place, ...settings(cluster, port)], {
    ...programOptions(cluster, cluster.data),
    stdio: ["ignore", output.fd, output.fd],
    // In a session of its own: Ctrl-C is for us, the store must outlive our last write.
    detached: true,
  });
  child.unref();
  child.on("error", () => undefined);
  await output.close();
  if (await becomesReady(cluster, child)) return { pid: child.pid!, port };
  return tail(await readFile(log, "utf8").catch(() => ""));
}

async function becomesReady(cluster: Cluster, child: ChildProcess): Promise<boolean> {
  for (let waited = 0; waited < startMs; waited += pollMs) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return false;
    const found = await readPidFile(cluster);
    if (found?.pid === child.pid && found.status === "ready") return true;
    await wait(pollMs);
  }
  child.kill("SIGKILL");
  throw failed(`PostgreSQL was not ready in ${startMs} ms in ${cluster.data}.`);
}

function settings({ durable }: Cluster, port: number): readonly string[] {
  const values = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: "",
    max_connections: 200,
    shared_buffers: "32MB",
    io_method: "sync",
    jit: "off",
    max_wal_senders: 0,
    wal_level: "minimal",
    timezone: "UTC",
    log_timezone: "UTC",
    ...(durable ? {} : { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }),
  };
  return Object.entries(values).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/** The server an earlier start left running on this data; a stale note about one is removed. */
export async function findPostmaster(cluster: Cluster): Promise<Postmaster | undefined> {
  const found = await readPidFile(cluster);
  if (!found) return undefined;
  if (!(await worksOn(cluster, found.pid))) {
    // The number now belongs to another program, which would make the server refuse to start.
    if (isRunning(found.pid)) await rm(pidFile(cluster), { force: true });
    return undefined;
  }
  if (found.status === "ready") return found;
  for (let waited = 0; waited < startMs; waited += pollMs) {
    const now = await readPidFile(cluster);
    if (!now || !isRunning(found.pid)) return undefined;
    if (now.status === "ready") return now;
    await wait(pollMs);
  }
  return found;
}

/** The server changes into its data directory and stays there. */
async function worksOn(cluster: Cluster, pid: number): Promise<boolean> {
  if (!isRunning(pid)) return false;
  if (process.platform !== "linux") return (await commandOf(pid)).includes(cluster.data);
  const folder = await readlink(`/proc/${pid}/cwd`).catch(() => "");
  return folder === (await realpath(cluster.data));
}

async function commandOf(pid: number): Promise<string> {
  const child = spawn("/bin/ps", ["-o", "command=", "-p", String(pid)], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  await once(child, "close");
  return output;
}

/** Stops the server and waits until it is gone; what does not react in `patienceMs` is told more harshly. */
export async function stopPostmaster(
  cluster: Cluster,
  { pid }: Postmaster,
  patienceMs: number = stopMs,
): Promise<void> {
  for (const signal of stopSignals) {
    if (!(await worksOn(cluster, pid))) return;
    process.kill(pid, signal);
    if (await becomes(async () => !isRunning(pid) || !(await readPidFile(cluster)), patienceMs)) {
      // A child that nobody reaps stays a process for ever.
      await becomes(async () => !isRunning(pid), goneMs);
      return;
    }
  }
  throw failed(`PostgreSQL ${pid} did not stop in ${cluster.data}.`);
}

async function becomes(isSo: () => Promise<boolean>, limitMs: number): Promise<boolean> {
  for (let waited = 0; waited < limitMs; waited += pollMs) {
    if (await isSo()) return true;
    await wait(pollMs);
  }
  return false;
}

const pidFile = ({ data }: Cluster) => join(data, "postmaster.pid");

interface PidFile extends Postmaster {
  readonly status: string;
}

async function readPidFile(cluster: Cluster): Promise<PidFile | undefined> {
  const text = await readFile(pidFile(cluster), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = text.split("\n");
  return { pid: Number(lines[0]), port: Number(lines[3]), status: lines[7]?.trim() ?? "" };
}

/** The wanted port when it is free, else one the system chooses. */
async function freePort(wanted: number): Promise<number> {
  const server = createServer();
  server.listen(wanted, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    if (wanted === 0) throw error;
    return freePort(0);
  }
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}

function tail(log: string): string {
  return log.trim().split("\n").slice(-5).join(" | ");
}
