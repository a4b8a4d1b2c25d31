import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { describe, expect, test, vi } from "vitest";

import type { FaultRig } from "../support/fault-rig.ts";
import { faultServersMissing } from "./missing.ts";
import { metricOf, play } from "./scenario.ts";

const rebuilds = "auditflow_state_rebuilds_total";

describe.skipIf(faultServersMissing)("servers that die or forget", () => {
  test("S5 RabbitMQ, killed and stopped", async () => {
    const missed = await play({
      name: "S5",
      load: { rate: 70 },
      async fault({ servers: { rabbitmq }, counts }) {
        // One connection publishes, one consumes. An outage that begins before both are back hits none.
        const connected = (connects: number) =>
          vi.waitFor(() => expect(counts.connects).toBeGreaterThanOrEqual(connects), { timeout: 60_000 });
        for (let kills = 0; kills < 2; kills += 1) {
          await sleep(3000);
          await rabbitmq.kill();
          await sleep(1000);
          await rabbitmq.start();
          await connected(4 + 2 * kills);
        }
        await sleep(3000);
        await rabbitmq.control("stop_app");
        await rabbitmq.control("start_app");
        await connected(8);
      },
      hits: async ({ counts, generator }) => ({
        "connections had": [counts.connects, 8],
        "events the ingress could not store": [counts.refused, 1],
        "events not published": [
          await metricOf([generator], "auditflow_events_published_total", 'outcome="failed"'),
          1,
        ],
      }),
    });
    expect(missed, "A8 faults that did not hit").toEqual([]);
  });

  test("S9 Redis, flushed as a whole, by window and by script", async () => {
    let forgotten = 0;
    const missed = await play({
      name: "S9",
      async fault({ servers, random }) {
        const redis = new Redis(servers.redis.url);
        for (let turn = 0; turn < 4; turn += 1) {
          await sleep(1500);
          await redis.flushall();
          await sleep(1500);
          await redis.script("FLUSH");
          const windows = await redis.keys("auditflow:window:*");
          const victims = windows.filter(() => random() < 0.2);
          forgotten += victims.length > 0 ? await redis.del(...victims) : 0;
        }
        redis.disconnect();
      },
      hits: async ({ analysis }) => ({
        "windows deleted": [forgotten, 10],
        rebuilds: [await metricOf(analysis, rebuilds), 7],
      }),
    });
    expect(missed, "A8 faults that did not hit").toEqual([]);
  });

  test("S10 Redis, killed with its file kept and with it deleted", async () => {
    const lives = new Set<string>();
    const missed = await play({
      name: "S10",
      async fault({ servers: { redis } }) {
        const directory = await inspect(redis.url, async (client) => {
          const [, folder = ""] = await client.config("GET", "dir");
          return folder;
        });
        for (let kills = 0; kills < 4; kills += 1) {
          lives.add(await runIdOf(redis.url));
          await sleep(2000);
          await redis.kill();
          if (kills === 3) await rm(join(directory, "appendonlydir"), { recursive: true });
          await sleep(500);
          await redis.start();
        }
        lives.add(await runIdOf(redis.url));
      },
      hits: async ({ analysis, counts }) => ({
        "lives of the server": [lives.size, 5],
        rebuilds: [await metricOf(analysis, rebuilds), 4],
        "deliveries answered 503": [counts.deliveries["analysis retried"] ?? 0, 1],
      }),
    });
    expect(missed, "A8 faults that did not hit").toEqual([]);
  });

  test("S12 PostgreSQL, killed, restarted at once and all connections ended", async () => {
    const ended = { count: 0 };
    const missed = await play({
      name: "S12",
      async fault(rig) {
        const server = rig.servers.postgres;
        for (let kills = 0; kills < 2; kills += 1) {
          await sleep(2500);
          await server.kill();
          await server.start();
        }
        await sleep(2500);
        await quitAtOnce(rig);
        await server.start();
        for (let turn = 0; turn < 20; turn += 1) {
          await sleep(200);
          ended.count += await endConnections(rig).catch(() => 0);
        }
      },
      hits: async ({ analysis, counts }) => ({
        "connections ended": [ended.count, 20],
        "deliveries made again": [counts.deliveries["analysis retried"] ?? 0, 1],
        "deliveries answered 503": [
          await metricOf(analysis, "auditflow_events_handled_total", 'outcome="unavailable"'),
          1,
        ],
      }),
    });
    expect(missed, "A8 faults that did not hit").toEqual([]);
  });
});

/** SIGQUIT is what `pg_ctl stop -m immediate` sends: no checkpoint, no goodbye. */
async function quitAtOnce({ postgres, servers }: FaultRig): Promise<void> {
  const [row] = await postgres.sql<{ pid: number }[]>`
    select split_part(pg_read_file('postmaster.pid'), E'\n', 1)::int as pid`;
  if (!row) throw new Error("the server does not tell its process");
  process.kill(row.pid, "SIGQUIT");
  await servers.postgres.stop();
}

async function endConnections({ postgres }: FaultRig): Promise<number> {
  const ended = await postgres.sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`;
  return ended.length;
}

function runIdOf(url: string): Promise<string> {
  return inspect(url, async (client) => /run_id:(\S+)/.exec(await client.info("server"))?.[1] ?? "");
}

async function inspect<T>(url: string, look: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url);
  try {
    return await look(client);
  } finally {
    client.disconnect();
  }
}
