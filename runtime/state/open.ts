import type { FunctionHost } from "../function.ts";
import { createMemoryState } from "./memory.ts";
import { openRedisState } from "./redis.ts";
import type { State } from "./state.ts";

export interface StateConfig {
  readonly REDIS_URL?: string | undefined;
  /** Begins every key in Redis; `auditflow:` unless several deployments share a server. */
  readonly AUDITFLOW_REDIS_PREFIX?: string | undefined;
}

/** What `openState` needs of a function's host. */
export type StateHost = Pick<FunctionHost<unknown>, "now" | "newId" | "health" | "log">;

/**
 * The state chosen by configuration: Redis where REDIS_URL is set, else this process's memory. Never
 * waits for Redis. `impairs` says on `/healthz` what does not work while Redis is away.
 */
export async function openState(
  config: StateConfig,
  host: StateHost,
  impairs: readonly string[] = ["correlation of events"],
): Promise<State> {
  if (!config.REDIS_URL) return createMemoryState(host);
  return await openRedisState({
    url: config.REDIS_URL,
    prefix: config.AUDITFLOW_REDIS_PREFIX ?? "auditflow:",
    health: host.health,
    impairs,
    log: host.log,
    newId: host.newId,
  });
}
