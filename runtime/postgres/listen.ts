import type { Log } from "../log.ts";
import { runSession } from "./session.ts";

export interface ListenOptions {
  readonly url: string;
  /** `application_name` of the connection. */
  readonly name: string;
  /** A channel of NOTIFY, in small letters, digits and underscores. */
  readonly channel: string;
  /** Called for each notification, and each time it listens again: in between some may have been missed. */
  readonly onNotify: () => void;
  readonly log: Log;
}

export interface Listening extends AsyncDisposable {
  /** Whether notifications arrive now. */
  isUp(): boolean;
}

/** Between two tries to connect. */
const waitMs = { first: 100, longest: 2000 };

/**
 * Listens to a channel of NOTIFY on a connection of its own, which is asked for a sign of life every few
 * seconds and made again when it was lost. Through a pooler that shares connections between transactions
 * nothing arrives, so whoever listens should also look by itself now and then.
 */
export function listen(options: ListenOptions): Listening {
  const { url, channel, onNotify, log } = options;
  if (!/^[a-z_][a-z0-9_]*$/.test(channel)) throw new Error(`"${channel}" is no name of a channel.`);
  const stopping = new AbortController();
  let up = false;
  let failures = 0;
  const connection = {
    url,
    name: options.name,
    connectTimeoutMs: 3000,
    statementTimeoutMs: 10_000,
    onNotify: (told: string) => {
      if (told === channel) onNotify();
    },
  };

  async function listenOnce(): Promise<void> {
    await runSession(connection, async ({ sql, signal }) => {
      await sql.unsafe(`listen ${channel}`);
      up = true;
      failures = 0;
      onNotify();
      await aborted([signal, stopping.signal]);
    });
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await listenOnce();
      } catch (error) {
        failures += 1;
        log.debug({ err: error, channel }, "not listening to PostgreSQL");
      }
      up = false;
      await pause(Math.min(waitMs.longest, waitMs.first * 2 ** Math.min(failures, 10)), stopping.signal);
    }
  }

  const running = run();
  return {
    isUp: () => up,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running;
    },
  };
}

/** Resolves when one of the signals is aborted. */
function aborted(signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const any = AbortSignal.any([...signals]);
    if (any.aborted) resolve();
    else any.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Resolves after the time, or at once when the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms).unref();
    signal.addEventListener("abort", done);
    return undefined;
  });
}
