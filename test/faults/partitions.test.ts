import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";

import type { ChaosProxy, ProxyMode } from "../support/chaos-proxy.ts";
import type { DependencyName } from "../support/fault-rig.ts";
import { faultServersMissing } from "./missing.ts";
import { metricOf, play } from "./scenario.ts";

/** Longer than a heartbeat, a command's or a statement's time where the old connection must be given up. */
const faults: readonly (readonly [ProxyMode, number])[] = [
  [{ kind: "freeze" }, 4000],
  [{ kind: "blackhole" }, 8000],
  [{ kind: "reset" }, 2000],
  [{ kind: "refuse" }, 2000],
  [{ kind: "cut", probability: 0.1 }, 3000],
];

describe.skipIf(faultServersMissing)("partitions", () => {
  test.for<DependencyName>(["redis", "postgres", "rabbitmq"])(
    "S17 between the functions and %s",
    async (name) => {
      const missed = await play({
        name: `S17 ${name}`,
        // Slow enough that traffic outlasts the last fault.
        load: { rate: 55 },
        async fault({ proxies }) {
          for (const [mode, lastsMs] of faults) {
            await connected(proxies[name]);
            await sleep(1000);
            await proxies[name].set(mode);
            await sleep(lastsMs);
            await hasHit(proxies[name], mode.kind);
            await proxies[name].set({ kind: "ok" });
          }
        },
        hits: async ({ proxies, analysis, generator }) => ({
          ...Object.fromEntries(faults.map(([{ kind }]) => [kind, [proxies[name].counts.hits[kind], 1]])),
          "connections had again": [proxies[name].counts.connections, 6],
          "answers and publications that failed": [
            (await metricOf(analysis, "auditflow_events_handled_total", 'outcome="unavailable"')) +
              (await metricOf([generator], "auditflow_events_published_total", 'outcome="failed"')),
            1,
          ],
        }),
      });
      expect(missed, "A8 faults that did not hit").toEqual([]);
    },
  );
});

/** A fault that meets no connection proves nothing. */
async function connected(proxy: ChaosProxy): Promise<void> {
  await vi.waitFor(() => expect(proxy.open()).toBeGreaterThan(0), { timeout: 30_000, interval: 50 });
}

/** Chance may spare every connection for a while: the fault goes on until it did not. A8 tells if it never did. */
async function hasHit({ counts }: ChaosProxy, kind: ProxyMode["kind"]): Promise<void> {
  const patience = { timeout: 30_000, interval: 50 };
  await vi.waitFor(() => expect(counts.hits[kind]).toBeGreaterThan(0), patience).catch(() => {});
}
