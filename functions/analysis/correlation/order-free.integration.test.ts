import { randomUUID } from "node:crypto";
import { assert, asyncProperty } from "fast-check";
import { Redis } from "ioredis";
import { pino } from "pino";
import { describe, expect, test, vi } from "vitest";

import { createHealth } from "../../../runtime/health.ts";
import { openRedisState } from "../../../runtime/state/redis.ts";
import { openRedisServer, redisServerInstalled } from "../../../test/support/redis-server.ts";
import { createCoverage, play, story } from "./order-free.testing.ts";

const prefix = "order-free:";

describe.skipIf(!redisServerInstalled)(
  "on a Redis that is flushed, robbed of single keys and asked by four replicas",
  () => {
    test("a set of events raises the same alerts in whatever way it comes", async () => {
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
      const coverage = createCoverage();
      await assert(
        asyncProperty(story(losses.length), async (story) => {
          await redis.flushall();
          coverage.add(await play(story, { state, losses }));
        }),
        { numRuns: 2000 },
      );
      redis.disconnect();
      for (const hits of Object.values(coverage.total)) expect(hits).toBeGreaterThan(500);
    }, 300_000);
  },
);
