import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";

import type { FaultRig } from "../support/fault-rig.ts";
import { faultServersMissing } from "./missing.ts";
import { metricOf, play, postsOf, seed } from "./scenario.ts";
import type { Replica } from "./supervisor.ts";

/** What the sender has under way at most, and so what one crash of it can send again. */
const senderBatch = 10;

describe.skipIf(faultServersMissing)("processes that die", () => {
  test("S1 analysis, killed in the middle of its deliveries", async () => {
    const kills = { made: 0, hit: 0 };
    const missed = await play({
      name: "S1 kill -9",
      load: { count: 2400 },
      mayCrash: true,
      async fault(rig, sent) {
        const over = new AbortController();
        void sent.then(() => over.abort());
        for (let number = 0; number < 14 && !over.signal.aborted; number += 1) {
          await killWhenBusy(rig, { number, over: over.signal, kills });
        }
      },
      hits: async (rig) => ({
        kills: [kills.made, 8],
        "kills that interrupted a delivery": [kills.hit, kills.made - 2],
        "deliveries made again": [rig.counts.deliveries["analysis retried"] ?? 0, kills.made],
      }),
    });
    expect(missed, "A8 faults that did not hit").toEqual([]);
  });

  test("S1 analysis, killed after each of its steps", async () => {
    const steps = ["after-accept", "after-window", "record", "after-record", "before-answer"] as const;
    const missed = await play({
      name: "S1 failpoints",
      env: (name, start) =>
        name === "analysis"
          ? { AUDITFLOW_FAILPOINTS: `${steps[start % steps.length]}:kill:0.01`, ...seeded(start) }
          : {},
      mayCrash: true,
      fault: async (_rig, sent) => void (await sent),
      hits: async ({ analysis, counts }) => ({
        ...Object.fromEntries(steps.map((step) => [`killed at ${step}`, [firedAt(analysis, step), 1]])),
        "deliveries made again": [counts.deliveries["analysis retried"] ?? 0, 10],
        "answered from the ledger": [
          await metricOf(analysis, "auditflow_events_accepted_total", 'outcome="duplicate"'),
          1,
        ],
      }),
    });
    expect(missed, "A8 faults that did not hit").toEqual([]);
  });

  test("S2 notification, killed at each of its steps and at any moment", async () => {
    const faults = { isArmed: true, kills: 0 };
    // Each start dies at another of its steps; the last one is killed from outside.
    const steps = [
      "notification-after-commit",
      "notification-after-post",
      "notification-after-commit",
      "notification-before-commit",
      undefined,
    ] as const;
    const stepOf = (start: number) => steps[start % steps.length];
    const missed = await play({
      name: "S2",
      load: { count: 2600, rate: 80 },
      env: (name, start) => {
        const step = name === "notification" && faults.isArmed ? stepOf(start) : undefined;
        return step ? { AUDITFLOW_FAILPOINTS: `${step}:kill:0.5`, ...seeded(start) } : {};
      },
      mayCrash: true,
      async fault({ notification }, sent) {
        const over = new AbortController();
        void sent.then(() => over.abort());
        while (!over.signal.aborted) {
          await notification.ready();
          const start = notification.exits.length;
          await sleep(1000, undefined, { signal: over.signal }).catch(() => {});
          if (start !== notification.exits.length || stepOf(start) !== undefined) continue;
          notification.kill();
          faults.kills += 1;
        }
        faults.isArmed = false;
        await notification.ready();
        await notification.terminate();
      },
      duplicates: ({ notification }) => notification.exits.length * senderBatch,
      hits: async ({ notification, counts, receiver }) => ({
        kills: [faults.kills, 1],
        ...Object.fromEntries(
          steps.flatMap((step) => (step ? [[`killed at ${step}`, [firedAt([notification], step), 1]]] : [])),
        ),
        "deliveries made again": [counts.deliveries["notification retried"] ?? 0, 5],
        "webhooks sent again": [postsOf(receiver) - receiver.received.size, 1],
      }),
    });
    expect(missed, "A8 faults that did not hit").toEqual([]);
  });
});

interface Killing {
  readonly number: number;
  readonly over: AbortSignal;
  readonly kills: { made: number; hit: number };
}

/** Kills one replica a few milliseconds after it was given a delivery, when it has handled some before. */
async function killWhenBusy(rig: FaultRig, { number, over, kills }: Killing): Promise<void> {
  const victim = rig.analysis[number % rig.analysis.length];
  if (!victim) return;
  await victim.ready();
  const before = rig.counts.deliveries["analysis retried"] ?? 0;
  const killed = Promise.withResolvers<void>();
  let assigned = 0;
  rig.onAssigned = (replica) => {
    assigned += replica === victim ? 1 : 0;
    if (replica !== victim || assigned !== 10) return;
    setTimeout(() => {
      victim.kill();
      kills.made += 1;
      killed.resolve();
    }, rig.random() * 3);
  };
  over.addEventListener("abort", () => killed.resolve());
  await killed.promise;
  rig.onAssigned = () => {};
  if (assigned < 10) return;
  await sleep(500);
  if ((rig.counts.deliveries["analysis retried"] ?? 0) > before) kills.hit += 1;
}

/** The same for every run of a seed, another for every start, or each would die at the same call. */
function seeded(start: number) {
  return { AUDITFLOW_FAILPOINTS_SEED: String(seed + start * 7919) };
}

function firedAt(replicas: readonly Replica[], step: string): number {
  return replicas.reduce((sum, { failpoints }) => sum + (failpoints[step] ?? 0), 0);
}
