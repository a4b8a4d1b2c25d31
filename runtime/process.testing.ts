import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

import { vi } from "vitest";

/** A Node process that serves HTTP. */
export interface ServingProcess extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** Undefined while it runs, else what it ended with; null when a signal ended it. */
  readonly exitCode: () => number | null | undefined;
  /** Everything it has written so far. */
  readonly output: () => string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit code once it has ended. */
  readonly ended: Promise<number | null>;
}

/** Starts a process that listens on `PORT`, and waits until it does. Disposing it kills it. */
export async function startProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<ServingProcess> {
  const port = await freePort();
  const process_ = runProcess(args, { ...env, PORT: String(port) });
  const url = `http://127.0.0.1:${port}`;
  await vi.waitFor(
    async () => {
      if (process_.exitCode() !== undefined) throw new Error(`it ended: ${process_.output()}`);
      await fetch(`${url}/livez`);
    },
    { timeout: 30_000, interval: 50 },
  );
  return { ...process_, url };
}

/** Starts a Node process with exactly this environment, beside PATH. */
export function runProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Omit<ServingProcess, "url"> {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env["PATH"], NODE_ENV: "production", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  let code: number | null | undefined;
  const ended = once(child, "close").then(() => (code = child.exitCode));
  return {
    pid: child.pid ?? 0,
    exitCode: () => code,
    output: () => Buffer.concat(chunks).toString(),
    kill: (signal) => void child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** A port nobody listens on at this moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}
