import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** A RabbitMQ of the test's own, on its own ports and directories, that may be killed and started again. */
export interface RabbitmqServer extends AsyncDisposable {
  readonly url: string;
  /** `kill -9` of the whole server; what it had confirmed is on disk. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  start(): Promise<void>;
  /** Runs `rabbitmqctl` against it and answers what it printed. */
  control(...args: readonly string[]): Promise<string>;
}

const bin = process.env["AUDITFLOW_TEST_RABBITMQ_BIN"] ?? "/usr/lib/rabbitmq/bin";

/** Why no server can be started here, if so: for `describe.skipIf(rabbitmqServerMissing)`. */
export const rabbitmqServerMissing: string | undefined = existsSync(join(bin, "rabbitmq-server"))
  ? undefined
  : `there is no rabbitmq-server in ${bin} (set AUDITFLOW_TEST_RABBITMQ_BIN)`;

if (rabbitmqServerMissing !== undefined) {
  if (process.env["AUDITFLOW_TEST_SERVERS"] === "required") throw new Error(rabbitmqServerMissing);
  process.stderr.write(`skipped: ${rabbitmqServerMissing}\n`);
}

const startTimeoutMs = 60_000;

/** Starts a fresh server; disposing it kills it and removes its data. Takes several seconds. */
export async function openRabbitmqServer(): Promise<RabbitmqServer> {
  const directory = await mkdtemp(join(tmpdir(), "auditflow-rabbitmq-"));
  const port = await freePort();
  const env = await prepare(directory, { port, distPort: await freePort() });
  let running: ChildProcess | undefined;

  const server: RabbitmqServer = {
    url: `amqp://127.0.0.1:${port}`,
    async start() {
      // A group of its own, so that the shell that starts the Erlang VM dies with it.
      running = spawn(join(bin, "rabbitmq-server"), [], { env, detached: true, stdio: "ignore" });
      await listening(port, running);
    },
    async kill() {
      const child = running;
      running = undefined;
      if (child?.pid === undefined || child.exitCode !== null) return;
      const exited = once(child, "exit");
      process.kill(-child.pid, "SIGKILL");
      await exited;
    },
    async control(...args) {
      const { stdout } = await promisify(execFile)(
        join(bin, "rabbitmqctl"),
        ["-n", String(env["RABBITMQ_NODENAME"]), "--erlang-cookie", "auditflow-test", "-q", ...args],
        { env },
      );
      return stdout;
    },
    async [Symbol.asyncDispose]() {
      await server.kill();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  try {
    await server.start();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

async function prepare(
  directory: string,
  ports: { readonly port: number; readonly distPort: number },
): Promise<NodeJS.ProcessEnv> {
  const at = (name: string) => join(directory, name);
  await mkdir(at("mnesia"));
  await mkdir(at("log"));
  await writeFile(at("enabled_plugins"), "[].\n");
  await writeFile(at("rabbitmq.conf"), `listeners.tcp.1 = 127.0.0.1:${ports.port}\n`);
  return {
    PATH: process.env["PATH"],
    HOME: directory,
    RABBITMQ_NODENAME: `auditflow-test-${ports.port}@localhost`,
    RABBITMQ_DIST_PORT: String(ports.distPort),
    RABBITMQ_MNESIA_BASE: at("mnesia"),
    RABBITMQ_LOG_BASE: at("log"),
    RABBITMQ_ENABLED_PLUGINS_FILE: at("enabled_plugins"),
    RABBITMQ_CONFIG_FILE: at("rabbitmq"),
    RABBITMQ_PID_FILE: at("pid"),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-setcookie auditflow-test +S 2:2",
  };
}

/** Below the range from which connections get their own port, so that a restart finds it free. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 5000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`rabbitmq-server ended with code ${child.exitCode}`);
    if (Date.now() > deadline) throw new Error(`rabbitmq-server does not listen on ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
