import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, rm } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import { tmpdir } from "node:os";

const program = "redis-server";

/** A Redis of this test's own, to be flushed, killed and frozen at will. */
export interface OwnRedisServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it (again) on the same port and directory, and waits until it accepts connections. */
  start(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  freeze(): void;
  thaw(): void;
}

export interface OwnRedisOptions {
  /** Keeps an append-only file, so that data survives `kill` and `start`. */
  readonly durable?: boolean;
}

/** Whether a redis-server program is installed here; for `describe.skipIf(!redisServerInstalled)`. */
export const redisServerInstalled = await isInstalled(program);

/** Starts a Redis on a free port with its data in a directory of its own; disposing removes both. */
export async function openRedisServer({ durable = false }: OwnRedisOptions = {}): Promise<OwnRedisServer> {
  const directory = await mkdtemp(join(tmpdir(), "auditflow-redis-"));
  const port = await freePort();
  const settings = ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory, "--save", ""];
  const args = [...settings, "--appendonly", durable ? "yes" : "no", "--enable-debug-command", "yes"];
  let server: ChildProcess | undefined;

  async function kill(): Promise<void> {
    const running = server;
    server = undefined;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const exited = once(running, "exit");
    running.kill("SIGKILL");
    await exited;
  }

  async function start(): Promise<void> {
    server = spawn(program, args, { stdio: "ignore" });
    while (!(await accepts(port))) {
      if (server.exitCode !== null) throw new Error(`redis-server ended with code ${server.exitCode}.`);
    }
  }

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    start,
    freeze: () => server?.kill("SIGSTOP"),
    thaw: () => server?.kill("SIGCONT"),
    [Symbol.asyncDispose]: async () => {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const { port } = holder.address() as AddressInfo;
  holder.close();
  await once(holder, "close");
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    const settle = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", settle(true)).once("error", settle(false));
  });
}

async function isInstalled(program: string): Promise<boolean> {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = await Promise.allSettled(folders.map((folder) => access(join(folder, program))));
  return found.some(({ status }) => status === "fulfilled");
}
