import { digest } from "./digest.ts";
import { admitScript } from "./lua/admit.ts";
import { connectRedis } from "./redis-connection.ts";
import type { RedisConnectionOptions } from "./redis-connection.ts";
import { createRedisLate } from "./redis-late.ts";
import { createRedisWindows } from "./redis-windows.ts";
import type { RedisWindowsOptions } from "./redis-windows.ts";
import type { State } from "./state.ts";

/** `prefix` begins every key, so that several deployments can use one server. */
export type RedisStateOptions = RedisConnectionOptions & RedisWindowsOptions;

/**
 * State in Redis, shared by all replicas. Never waits for the server: it connects in the background, and
 * while it is away every call fails at once with UnavailableError("redis").
 *
 * Keys are the prefix, a word and a hash, and values travel as arguments only, so nothing of an event can
 * become a key or a script.
 */
export async function openRedisState({
  prefix,
  newId,
  limits,
  ...options
}: RedisStateOptions): Promise<State> {
  const redis = connectRedis(options);
  const nameOf = (kind: string, key: string) => `${prefix}${kind}:${digest(key)}`;
  return {
    ...createRedisWindows(redis, { prefix, newId, limits }),
    ...createRedisLate(redis, (window, bucket) => nameOf("told", `${bucket} ${window.key}`)),
    admit: async ({ key, member, limit, rememberMs }) => {
      const args = [member, String(limit), String(rememberMs)];
      return Number(await redis.script(admitScript, { keys: [nameOf("admitted", key)], args })) === 1;
    },
    read: async (key) => {
      const text = await redis.command("GET", nameOf("value", key));
      return typeof text === "string" ? (JSON.parse(text) as unknown) : undefined;
    },
    write: async (key, value) => {
      await redis.command("SET", nameOf("value", key), JSON.stringify(value));
    },
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
}
