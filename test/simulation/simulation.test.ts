import { pino } from "pino";
import { beforeAll, describe, expect, test } from "vitest";

import { readManifests } from "../../events/broker/manifests.ts";
import { profiles } from "../../events/broker/profile.ts";
import { planWiring } from "../../events/broker/topology.ts";
import { compileRules } from "../../functions/analysis/rules/compile.ts";
import { createMetrics, type Metrics } from "../../runtime/metrics.ts";
import { noCounts } from "./faults.ts";
import { rulesText } from "./oracle.ts";
import { planted, type Plants } from "./plants.ts";
import { type Run, run, type Setting } from "./run.ts";
import { seeds } from "./seeds.ts";

/** `AUDITFLOW_TEST_SEED` repeats one run and shows its steps; `AUDITFLOW_TEST_RUNS` plays more or fewer. */
const onlySeed = process.env["AUDITFLOW_TEST_SEED"];
const runs = Number(process.env["AUDITFLOW_TEST_RUNS"] ?? 3000);

let setting: Setting;

beforeAll(async () => {
  const { ruleSet } = compileRules([{ file: "simulation.yml", text: rulesText }]);
  const manifests = await readManifests(new URL("../../knative/base", import.meta.url).pathname);
  setting = {
    ruleSet,
    wiring: planWiring(manifests, { profile: profiles["knative-rabbitmq"] }),
    metrics: createMetrics("simulation"),
    log: pino({ level: "silent" }),
  };
});

async function play(seed: number, plants?: Plants): Promise<Run> {
  return await run({ ...setting, seed, ...(plants && { plants }) });
}

async function playKept(seed: number): Promise<Run> {
  const played = await play(seed);
  const complaint = played.violations.length > 0 ? await explain(seed, played) : "";
  expect(complaint).toBe("");
  return played;
}

const shownSteps = 60;

async function explain(seed: number, { violations }: Run): Promise<string> {
  const steps: string[] = [];
  await run({ ...setting, seed, onStep: (line) => steps.push(line) });
  return [
    `Seed ${seed}; repeat it with AUDITFLOW_TEST_SEED=${seed}.`,
    ...violations,
    ...(onlySeed === undefined ? [] : ["Its last steps:", ...steps.slice(-shownSteps)]),
  ].join("\n");
}

/** Lets the rest of the process live between runs, which never wait for anything real. */
async function breathe(turn: number): Promise<void> {
  if (turn % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
}

function addTo(sum: Map<string, number>, counts: Iterable<readonly [string, number]>): void {
  for (const [name, count] of counts) sum.set(name, (sum.get(name) ?? 0) + count);
}

async function valueOf(counter: Metrics["eventsLate"]): Promise<number> {
  return (await counter.get()).values[0]?.value ?? 0;
}

describe.runIf(onlySeed === undefined)("the simulation", () => {
  test("takes the same steps for the same seed, and others for another", async () => {
    const stepsOf = async (seed: number) => {
      const steps: string[] = [];
      const { fingerprint } = await run({ ...setting, seed, onStep: (line) => steps.push(line) });
      return { fingerprint, steps };
    };
    for (const seed of [1, 2, 3]) {
      const first = await stepsOf(seed);
      expect(first.steps.length).toBeGreaterThan(300);
      expect(await stepsOf(seed)).toEqual(first);
      expect((await stepsOf(seed + 10)).fingerprint).not.toBe(first.fingerprint);
    }
  });

  test.for(planted)("notices when $name", async ({ plants, noticedAs }) => {
    for (let seed = 1; seed <= 1000; seed += 1) {
      const { violations } = await play(seed, plants());
      await breathe(seed);
      if (violations.some((violation) => noticedAs.test(violation))) return;
    }
    expect.fail("1000 runs noticed nothing.");
  });
});

describe("whatever happens to the pipeline, it answers what the accepted events justify", () => {
  test.runIf(onlySeed !== undefined)(`with seed ${onlySeed}`, async () => {
    expect(await playKept(Number(onlySeed))).toMatchObject({ violations: [] });
  });

  test.runIf(onlySeed === undefined).for(seeds)(
    "with seed $seed, which once found $found",
    async ({ seed }) => {
      expect(await playKept(seed)).toMatchObject({ violations: [] });
    },
  );

  test.runIf(onlySeed === undefined)(
    `in ${runs} runs, in which everything happened that can`,
    async () => {
      const faults = new Map(Object.entries(noCounts()));
      const failpoints = new Map<string, number>();
      const deadLetters = new Map<string, number>();
      const sum = { accepted: 0, alerts: 0, episodes: 0, settled: 0, reconciled: 0, redelivered: 0 };
      const before = {
        late: await valueOf(setting.metrics.eventsLate),
        rebuilds: await valueOf(setting.metrics.stateRebuilds),
      };
      for (let seed = 1; seed <= runs; seed += 1) {
        const played = await playKept(seed);
        addTo(faults, Object.entries(played.faults));
        addTo(failpoints, played.failpoints);
        addTo(deadLetters, played.deadLetters);
        for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += played[name];
        await breathe(seed);
      }

      const rare = (counts: ReadonlyMap<string, number>, least: number) =>
        [...counts].filter(([, count]) => count < least * runs);
      expect(rare(faults, 0.3), "faults that were hit too rarely").toEqual([]);
      expect(rare(failpoints, 0.02), "failpoints that failed too rarely").toEqual([]);
      expect([...failpoints.keys()].toSorted()).toEqual(expectedFailpoints);
      expect(rare(deadLetters, 0.02), "dead letters of a kind").toEqual([]);
      expect([...deadLetters.keys()].toSorted()).toEqual([
        "EVENT_ID_REUSED",
        "EVENT_LOGSOURCE_UNKNOWN",
        "EVENT_UNDELIVERABLE",
      ]);
      expect((await valueOf(setting.metrics.eventsLate)) - before.late).toBeGreaterThan(runs);
      expect((await valueOf(setting.metrics.stateRebuilds)) - before.rebuilds).toBeGreaterThan(runs);
      expect(sum.reconciled).toBeGreaterThan(0.5 * runs);
      expect(sum.redelivered).toBeGreaterThan(runs);
      expect(sum.accepted).toBeGreaterThan(5 * runs);
      expect(sum.alerts).toBeGreaterThan(2 * runs);
      expect(sum.episodes).toBeGreaterThan(2 * runs);
      expect(sum.settled).toBeGreaterThan(2 * runs);
    },
    900_000,
  );
});

/** Every failpoint of the detector and of notification, in every way it can fail. */
const expectedFailpoints = [
  ...["accept", "record"].flatMap((name) => [`${name} kills`, `${name} throws`, `${name} throws afterwards`]),
  ...[
    "after-accept",
    "after-record",
    "after-window",
    "before-answer",
    "notification-after-commit",
    "notification-after-post",
    "notification-before-commit",
  ].flatMap((name) => [`${name} kills`, `${name} throws`]),
].toSorted();
