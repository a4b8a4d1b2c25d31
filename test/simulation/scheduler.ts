import { AsyncLocalStorage } from "node:async_hooks";

import type { Chance } from "./chance.ts";

/** What runs, and dies, together. Nothing of a dead one ever continues. */
export interface Process {
  readonly name: string;
  readonly isAlive: () => boolean;
  /** Calls back at its death; answers with a way to withdraw that. */
  onDeath(told: () => void): () => void;
  /** What a SIGKILL does. */
  die(): void;
  /** Runs work as part of it: what the work starts, and goes on with later, belongs to it too. */
  run<T>(work: () => T): T;
}

/** Asynchrony that depends on nothing but a seed. */
export interface Scheduler {
  /** Virtual time, epoch milliseconds; it moves only when nothing else can. */
  readonly now: () => number;
  /** Lets everybody else go first, or not: resolves when the seed picks the caller. */
  step(label: string): Promise<void>;
  /** Resolves after `ms`, or as soon as the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back after `ms`, unless cancelled or the calling process is dead by then. */
  after(ms: number, label: string, fire: () => void): () => void;
  spawn(name: string): Process;
  readonly current: () => Process;
  /** Runs until `main` is done; rejects when everything waits for something that never comes. */
  drive<T>(main: () => Promise<T>): Promise<T>;
  /** Of everything that happened, in order. */
  readonly fingerprint: () => number;
  readonly steps: () => number;
}

interface Task {
  readonly process: Process;
  readonly label: string;
  readonly resume: () => void;
}

interface Timer extends Task {
  readonly at: number;
}

export interface SchedulerOptions {
  readonly chance: Chance;
  readonly startAt: number;
  /** Told every step; for people. */
  readonly onStep?: ((line: string) => void) | undefined;
}

/** More than any story takes: who gets here runs in circles. */
const mostSteps = 200_000;

export function createScheduler({ chance, startAt, onStep }: SchedulerOptions): Scheduler {
  const running = new AsyncLocalStorage<Process>();
  const spawn = (name: string) => createProcess(name, running);
  const root = spawn("main");
  const ready: Task[] = [];
  let timers: Timer[] = [];
  let time = startAt;
  let steps = 0;
  let print = 0x811c9dc5;

  const current = () => running.getStore() ?? root;

  function enqueue(label: string, resume: () => void): void {
    ready.push({ process: current(), label, resume });
  }

  function after(ms: number, label: string, fire: () => void): () => void {
    // Whole milliseconds, as the clocks of real processes show them.
    const timer = { at: time + Math.max(0, Math.ceil(ms)), process: current(), label, resume: fire };
    timers.push(timer);
    return () => {
      timers = timers.filter((known) => known !== timer);
    };
  }

  function note({ process, label }: Task): void {
    const line = `${time - startAt} ${process.name}: ${label}`;
    for (let index = 0; index < line.length; index += 1) {
      print = Math.imul(print ^ line.charCodeAt(index), 0x01000193);
    }
    onStep?.(line);
  }

  /** Moves the clock to the next timer; all that are due at that moment become runnable together. */
  function advance(): void {
    timers = timers.filter(({ process }) => process.isAlive());
    if (timers.length === 0) throw new Error("Everything waits for something that never comes.");
    time = timers.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
    ready.push(...timers.filter(({ at }) => at === time));
    timers = timers.filter(({ at }) => at !== time);
  }

  function takeOne(): Task | undefined {
    if (ready.length === 0) advance();
    const index = chance.between(0, ready.length - 1);
    const task = ready[index];
    const last = ready.pop();
    if (last && index < ready.length) ready[index] = last;
    return task?.process.isAlive() ? task : undefined;
  }

  return {
    now: () => time,
    step: (label) => new Promise((resolve) => enqueue(label, resolve)),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return enqueue("does not sleep", resolve);
        const cancel = after(ms, "wakes", wake);
        const process = current();
        function wake() {
          signal?.removeEventListener("abort", interrupt);
          resolve();
        }
        function interrupt() {
          cancel();
          process.run(() => enqueue("is woken", resolve));
        }
        signal?.addEventListener("abort", interrupt, { once: true });
      }),
    after,
    spawn,
    current,
    async drive(main) {
      let isOver = false;
      const done = root.run(main).finally(() => {
        isOver = true;
      });
      // Awaited at the end; until then a failure must not count as unhandled.
      done.catch(() => {});
      for (;;) {
        await quiescence();
        if (isOver) return await done;
        const task = takeOne();
        if (!task) continue;
        steps += 1;
        if (steps > mostSteps) throw new Error(`It is not over after ${mostSteps} steps.`);
        note(task);
        task.resume();
      }
    },
    fingerprint: () => print >>> 0,
    steps: () => steps,
  };
}

/** Resolves once nothing can go on without the scheduler: Node runs this after all microtasks. */
function quiescence(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

function createProcess(name: string, running: AsyncLocalStorage<Process>): Process {
  const told = new Set<() => void>();
  let alive = true;
  const process: Process = {
    name,
    isAlive: () => alive,
    onDeath(listener) {
      told.add(listener);
      return () => told.delete(listener);
    },
    die() {
      if (!alive) return;
      alive = false;
      for (const listener of told) listener();
      told.clear();
    },
    run: (work) => inside(work),
  };
  // Taken once, because entering a context is cheap and making one is not.
  const inside = running.run(process, () => AsyncLocalStorage.snapshot());
  return process;
}
