import type { FunctionHost } from "../function.ts";
import { createMemoryState } from "./memory.ts";
import { openRedisState } from "./redis.ts";
import { type State, windowLimits } from "./state.ts";

export interface StateConfig {
  readonly REDIS_URL?: string | undefined;
  /** Begins every key in Redis; `auditflow:` unless several deployments share a server. */
  readonly AUDITFLOW_REDIS_PREFIX?: string | undefined;
  /** Groups per series and members per group, at most. */
  readonly AUDITFLOW_MAX_GROUPS?: number | undefined;
  readonly AUDITFLOW_MAX_GROUP_MEMBERS?: number | undefined;
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
  const limits = {
    groupsPerSeries: config.AUDITFLOW_MAX_GROUPS ?? windowLimits.groupsPerSeries,
    membersPerGroup: config.AUDITFLOW_MAX_GROUP_MEMBERS ?? windowLimits.membersPerGroup,
  };
  if (!config.REDIS_URL) return createMemoryState({ now: host.now, limits });
  return await openRedisState({
    url: config.REDIS_URL,
    prefix: config.AUDITFLOW_REDIS_PREFIX ?? "auditflow:",
    health: host.health,
    impairs,
    log: host.log,
    newId: host.newId,
    limits,
  });
}
