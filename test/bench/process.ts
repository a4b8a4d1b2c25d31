import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A server under measurement, as a process of its own. */
export interface MeasuredProcess extends AsyncDisposable {
  readonly port: number;
  /** Processor time used so far, in microseconds. */
  readonly cpu: () => number;
  /** Resident set size now, in MiB. */
  readonly rss: () => number;
}

/** Runs `node ...args` with `PORT` set and nothing else of this process's environment. */
export function spawnNode(args: readonly string[], port: number, env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, args, {
    cwd: root,
    env: {
      PATH: process.env["PATH"],
      PORT: String(port),
      LOG_LEVEL: "silent",
      NODE_ENV: "production",
      AUDITFLOW_HOST: "127.0.0.1",
      ...env,
    },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** Starts a server and waits until its port takes connections; disposing it kills it. */
export async function startProcess(
  args: readonly string[],
  port: number,
  env: NodeJS.ProcessEnv = {},
): Promise<MeasuredProcess> {
  const child = spawnNode(args, port, env);
  await untilListening(child, port);
  return {
    port,
    cpu: () => cpuOf(child),
    rss: () => rssOf(child),
    [Symbol.asyncDispose]: () => endProcess(child, "SIGKILL"),
  };
}

/** Sends the signal and waits until the process is gone. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

/** Resolves when the port takes a connection; rejects when the process ends before. */
async function untilListening(child: ChildProcess, port: number): Promise<void> {
  const until = performance.now() + 30_000;
  while (performance.now() < until) {
    if (child.exitCode !== null)
      throw new Error(`the server ended with ${child.exitCode} before it listened`);
    if (await takesConnection(port)) return;
  }
  throw new Error(`nothing listens on port ${port} after 30 s`);
}

async function takesConnection(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Processor time of a process so far, in microseconds: fields 14 and 15 of its stat, ticks of 10 ms. */
export function cpuOf({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** Resident set size of a process, in MiB. */
export function rssOf({ pid }: ChildProcess): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1]) / 1024;
}
