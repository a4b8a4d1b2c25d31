import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";

import { faultServersMissing } from "./missing.ts";
import { play } from "./scenario.ts";

/** Below the grace period that Kubernetes gives. */
const graceMs = 30_000;

describe.skipIf(faultServersMissing)("processes that are stopped", () => {
  test("S4 every function, in turns, by SIGTERM", async () => {
    const stops: { readonly name: string; readonly code: number | null; readonly tookMs: number }[] = [];
    const missed = await play({
      name: "S4",
      load: { count: 2400 },
      async fault({ functions }) {
        for (let turn = 0; turn < 3; turn += 1) {
          for (const replica of functions) {
            for (const each of functions) await each.ready();
            await sleep(300);
            const { exit, tookMs } = await replica.terminate();
            stops.push({ name: replica.name, code: exit.code, tookMs });
          }
        }
        for (const each of functions) await each.ready();
      },
      hits: async ({ counts }, report) => {
        // One of two replicas is always there, so nobody need notice that the other one stops.
        expect.soft(counts.deliveries["analysis retried"] ?? 0, "deliveries made again").toBe(0);
        expect.soft(report.refused, "answers of the generator but 202").toEqual({});
        return { stops: [stops.length, 12] };
      },
    });
    expect(missed, "A8 faults that did not hit").toEqual([]);
    expect(stops.filter(({ code, tookMs }) => code !== 0 || tookMs > graceMs)).toEqual([]);
  });
});
