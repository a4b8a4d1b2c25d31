import { randomUUID } from "node:crypto";
import { assert, asyncProperty } from "fast-check";
import { Redis } from "ioredis";
import { pino } from "pino";
import { describe, expect, test, vi } from "vitest";

import { createHealth } from "../../../runtime/health.ts";
import { openRedisState } from "../../../runtime/state/redis.ts";
import { openRedisServer, redisServerInstalled } from "../../../test/support/redis-server.ts";
import { ruleSets } from "./correlations.testing.ts";
import { createCoverage } from "./coverage.testing.ts";
import { play } from "./order-free.testing.ts";
import { story } from "./story.testing.ts";

const prefix = "order-free:";

/** How often stories are played, and what must have happened in them at least. */
const sets = [
  ["counts", 2000, { crashes: 500, losses: 500, late: 500, rebuilds: 500, unavailable: 500, alerts: 500 }],
  ["windows", 600, { crashes: 250, losses: 250, late: 250, rebuilds: 250, unavailable: 100, alerts: 15 }],
  ["chains", 400, { crashes: 150, losses: 150, late: 150, rebuilds: 100, unavailable: 50, alerts: 10 }],
] as const;

describe.skipIf(!redisServerInstalled)(
  "on a Redis that is flushed, robbed of single keys and asked by four replicas",
  () => {
    test.for(sets)(
      "a set of events raises the same alerts in whatever way it comes: %s",
      { timeout: 300_000 },
      async ([name, numRuns, least]) => {
        await using server = await openRedisServer();
        const redis = new Redis(server.url);
        const health = createHealth(Date.now);
        const log = pino({ level: "silent" });
        const options = { url: server.url, prefix, health, impairs: [], log, newId: randomUUID };
        await using state = await openRedisState(options);
        await vi.waitFor(() => expect(health.statuses()[0]?.up).toBe(true), { timeout: 10_000 });

        const evict = async () => {
          const [window] = await redis.keys(`${prefix}window:*`);
          if (window !== undefined) await redis.del(window);
        };
        const losses = [
          async () => void (await redis.flushall()),
          evict,
          async () => void (await redis.del(`${prefix}registry`)),
          async () => void (await redis.script("FLUSH")),
        ];
        const ruleSet = ruleSets[name];
        const coverage = createCoverage(ruleSet);
        await assert(
          asyncProperty(story(losses.length), async (story) => {
            await redis.flushall();
            coverage.add(await play(story, { ruleSet, state, losses }));
          }),
          { numRuns },
        );
        redis.disconnect();
        coverage.expectAtLeast(least);
      },
    );
  },
);
