import { createHash } from "node:crypto";
import { Redis } from "ioredis";
import type { RedisOptions } from "ioredis";

import { UnavailableError } from "../failure.ts";
import type { Health } from "../health.ts";
import type { Log } from "../log.ts";
import { stateLost } from "./lua/epoch.ts";
import { StateLostError } from "./state.ts";

export interface RedisConnectionOptions {
  readonly url: string;
  readonly health: Health;
  /** What does not work while Redis is away, in words for people. */
  readonly impairs: readonly string[];
  readonly log: Log;
}

interface RedisScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

/** One connection that comes back by itself; every call fails at once while it is away. */
export interface RedisConnection extends AsyncDisposable {
  command(name: string, ...args: readonly string[]): Promise<unknown>;
  /** Runs Lua by its hash, and by its text where the server does not know it (any more). */
  script(lua: string, call: RedisScriptCall): Promise<unknown>;
  /** The run_id of the server it is connected to now; throws UnavailableError when it is not. */
  runId(): string;
}

/** How long a command, and a silent socket, may take before it counts as dead. */
const commandTimeoutMs = 3000;
const socketTimeoutMs = 4000;
const longestPauseMs = 2000;

// `socketTimeout` is what finds a half-open connection: with `commandTimeout` alone the socket would stay,
// and with it every later command. Nothing is queued or sent again: the delivery is repeated as a whole,
// and a command that waits for a reconnection would only hide that Redis is away.
const settings = {
  enableAutoPipelining: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: commandTimeoutMs,
  connectTimeout: commandTimeoutMs,
  socketTimeout: socketTimeoutMs,
  retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), longestPauseMs),
} satisfies RedisOptions;

export function connectRedis({ url, health, impairs, log }: RedisConnectionOptions): RedisConnection {
  const dependency = health.dependency("redis", { impairs });
  const redis = new Redis(url, settings);
  let runId: string | undefined;
  let isClosing = false;

  redis.on("ready", () => {
    void learnRunId();
  });
  redis.on("error", (error: Error) => dependency.down(error));
  redis.on("close", () => {
    if (runId !== undefined && !isClosing) log.warn("the connection to Redis is lost");
    runId = undefined;
    dependency.down("the connection is closed");
  });

  /** A server of another run_id is one that lost, or may have lost, its memory. */
  async function learnRunId(): Promise<void> {
    try {
      const found = /^run_id:(\S+)/m.exec(await redis.info("server"))?.[1];
      if (found === undefined) throw new Error("Redis does not tell its run_id (INFO server).");
      runId = found;
      log.info("connected to Redis");
      dependency.up();
    } catch (error) {
      dependency.down(error);
      redis.disconnect(true);
    }
  }

  async function attempt(work: () => Promise<unknown>): Promise<unknown> {
    if (runId === undefined) throw new UnavailableError("redis", "Redis is not connected.");
    return await work();
  }

  const hashes = new Map<string, string>();
  function hashOf(lua: string): string {
    const known = hashes.get(lua) ?? createHash("sha1").update(lua).digest("hex");
    hashes.set(lua, known);
    return known;
  }

  return {
    command: (name, ...args) => attempt(() => redis.call(name, ...args)).catch(explain),
    script: (lua, call) =>
      attempt(() => redis.evalsha(hashOf(lua), call.keys.length, ...call.keys, ...call.args))
        .catch((error: unknown) => {
          if (!isReply(error, "NOSCRIPT")) throw error;
          return redis.eval(lua, call.keys.length, ...call.keys, ...call.args);
        })
        .catch(explain),
    runId() {
      if (runId === undefined) throw new UnavailableError("redis", "Redis is not connected.");
      return runId;
    },
    async [Symbol.asyncDispose]() {
      isClosing = true;
      redis.disconnect();
    },
  };
}

/** Whatever Redis refuses, it may accept later: loading, read-only, out of memory, gone. */
function explain(error: unknown): never {
  if (error instanceof UnavailableError) throw error;
  if (isReply(error, stateLost)) throw new StateLostError(error.message, { cause: error });
  const reason = error instanceof Error ? error.message : String(error);
  throw new UnavailableError("redis", `Redis did not answer: ${reason}`, { cause: error });
}

function isReply(error: unknown, code: string): error is Error {
  return error instanceof Error && error.message.startsWith(code);
}
