import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import type { Environment } from "../../runtime/config.ts";
import { lowPort } from "../support/low-port.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** How a process ended; `asked` tells whether we stopped it by SIGTERM. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly asked: boolean;
  readonly lastWords: readonly string[];
}

/** One function as a process of its own that is started again whenever it ends, as a kubelet would. */
export interface Replica extends AsyncDisposable {
  readonly name: string;
  /** Its base URL while it answers. */
  url(): string | undefined;
  readonly exits: readonly Exit[];
  /** What it said last, in this life. */
  lastWords(): readonly string[];
  /** Failpoints that fired, by name. */
  readonly failpoints: Readonly<Record<string, number>>;
  /** The most memory any of its processes held, in MiB. */
  readonly peakMemoryMiB: number;
  /** SIGKILL, now. */
  kill(): void;
  /** SIGTERM; resolves with the time it took and how it ended. */
  terminate(): Promise<{ readonly exit: Exit; readonly tookMs: number }>;
  /** Resolves once it answers. */
  ready(): Promise<void>;
  /** The value of a metric, summed over its labels; those that match `labels` only. */
  metric(name: string, labels?: string): Promise<number>;
}

export interface ReplicaOptions {
  readonly name: string;
  readonly target: string;
  /** Environment of the n-th start, from 0. */
  readonly env: (start: number) => Environment;
}

/** Starts the function, and keeps it started until it is disposed. */
export async function supervise({ name, target, env }: ReplicaOptions): Promise<Replica> {
  const port = await lowPort();
  const base = `http://127.0.0.1:${port}`;
  const exits: Exit[] = [];
  const failpoints: Record<string, number> = {};
  const state = { isStopping: false, isReady: false, isAsked: false, peakMemoryMiB: 0 };
  let lastWords: string[] = [];
  let child: ChildProcess = begin();

  function begin(): ChildProcess {
    const words: string[] = [];
    lastWords = words;
    const begun = spawn(process.execPath, ["functions/main.ts"], {
      cwd: root,
      env: environmentOf({ ...env(exits.length), FUNCTION_TARGET: target, PORT: String(port) }),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const hear = (line: string) => {
      words.push(line);
      if (words.length > 30) words.shift();
      const fired = /"name":"([a-z-]+)","kind":"[a-z-]+","msg":"failpoint"/.exec(line)?.[1];
      if (fired) failpoints[fired] = (failpoints[fired] ?? 0) + 1;
    };
    createInterface(begun.stdout).on("line", hear);
    createInterface(begun.stderr).on("line", hear);
    begun.once("close", (code, signal) => {
      exits.push({ code, signal, asked: state.isAsked, lastWords: words });
      Object.assign(state, { isReady: false, isAsked: false });
      if (!state.isStopping) child = begin();
    });
    void awaitReady(begun);
    return begun;
  }

  async function awaitReady(begun: ChildProcess): Promise<void> {
    while (begun.exitCode === null && begun.signalCode === null) {
      const answer = await fetch(`${base}/livez`).catch(() => undefined);
      if (answer?.ok && begun === child) {
        state.isReady = true;
        return;
      }
      await sleep(50);
    }
  }

  const watching = setInterval(measure, 100);
  function measure(): void {
    state.peakMemoryMiB = Math.max(state.peakMemoryMiB, peakOf(child));
  }

  async function terminate(): Promise<{ exit: Exit; tookMs: number }> {
    const ending = child;
    const started = performance.now();
    Object.assign(state, { isAsked: true, isReady: false });
    measure();
    ending.kill("SIGTERM");
    await once(ending, "close");
    const exit = exits.at(-1);
    if (!exit) throw new Error("a process that ended is not among those that ended");
    return { exit, tookMs: performance.now() - started };
  }

  return {
    name,
    exits,
    lastWords: () => lastWords,
    failpoints,
    get peakMemoryMiB() {
      return state.peakMemoryMiB;
    },
    url: () => (state.isReady ? base : undefined),
    kill() {
      measure();
      state.isReady = false;
      child.kill("SIGKILL");
    },
    terminate,
    async ready() {
      while (!state.isReady) {
        if (exits.length > 100)
          throw new Error(`${name} does not start: ${exits.at(-1)?.lastWords.join("\n")}`);
        await sleep(20);
      }
    },
    async metric(metric, labels = "") {
      const text = await fetch(`${base}/metrics`).then((answer) => answer.text());
      const lines = text.split("\n").filter((line) => line.startsWith(metric) && line.includes(labels));
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
    },
    async [Symbol.asyncDispose]() {
      state.isStopping = true;
      clearInterval(watching);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "close");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function environmentOf(env: Environment): NodeJS.ProcessEnv {
  const defined = Object.entries(env).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(defined), PATH: process.env["PATH"] };
}

/** VmHWM, in MiB; 0 when the process is gone or the system does not tell. */
function peakOf({ pid }: ChildProcess): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
