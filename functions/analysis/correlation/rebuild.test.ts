import { pino } from "pino";
import { describe, expect, test } from "vitest";

import { UnavailableError } from "../../../runtime/failure.ts";
import type { Ledger } from "../../../runtime/ledger/ledger.ts";
import { createMemoryLedger } from "../../../runtime/ledger/memory.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import { createMemoryState } from "../../../runtime/state/memory.ts";
import type { State } from "../../../runtime/state/state.ts";
import { alertsOf, compileTestRules, createTestAnalysis, login, testNow } from "../analysis.testing.ts";
import { createPreparation } from "./preparation.ts";
import { createRestore, type Restore } from "./rebuild.ts";
import { seriesOf } from "./plan.ts";

const now = () => testNow;
const log = pino({ level: "silent" });
const ruleSet = compileTestRules();
const stricter = compileTestRules().correlations.map((correlation) => ({
  ...correlation,
  revision: "2",
  threshold: 4,
}));
const changed = { ...ruleSet, hash: "changed", correlations: stricter };

function setUp(changes: { state?: State; ledger?: Ledger; now?: () => number } = {}) {
  const state = changes.state ?? createMemoryState({ now });
  const ledger = changes.ledger ?? createMemoryLedger({ now });
  const metrics = createMetrics("analysis");
  const stopping = new AbortController();
  const deps = {
    state,
    ledger,
    now: changes.now ?? now,
    latenessMs: 600_000,
    metrics,
    log,
    stopping: stopping.signal,
  };
  const rebuilds = async () => (await metrics.stateRebuilds.get()).values[0]?.value ?? 0;
  return { state, ledger, restore: createRestore(deps), rebuilds, stopping };
}

describe("restoring windows", () => {
  test("brings back what the ledger holds, so that a restart in the middle of a burst misses nothing", async () => {
    const ledger = createMemoryLedger({ now });
    const before = createTestAnalysis({ ledger });
    for (const id of ["a", "b"]) await before.detect(login(id, 0));
    const after = createTestAnalysis({ ledger });
    const [alert] = alertsOf(await after.detect(login("c", 1)));
    expect(alert?.evidence?.map(({ id }) => id)).toEqual(["a", "b", "c"]);
  });

  test("is done once for all who ask for it at once", async () => {
    const { restore, rebuilds } = setUp();
    await Promise.all(Array.from({ length: 20 }, () => restore(ruleSet)));
    expect(await rebuilds()).toBe(1);
    await restore(ruleSet);
    expect(await rebuilds()).toBe(1);
    await restore(ruleSet, { always: true });
    expect(await rebuilds()).toBe(2);
  });

  test("ends when the process stops, however much there is to replay", async () => {
    const ledger = createMemoryLedger({ now });
    const replaying = Promise.withResolvers<void>();
    async function* replay() {
      for (;;) {
        yield { event: login("a", 0), time: testNow };
        replaying.resolve();
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    const { restore, state, stopping } = setUp({ ledger: { ...ledger, replay } });
    const preparation = createPreparation({ state, restore, log });
    preparation.prepare(ruleSet);
    await replaying.promise;
    stopping.abort(new UnavailableError("process", "stopping"));
    await preparation[Symbol.asyncDispose]();
    expect(await state.isCurrent(ruleSet.correlations.map(seriesOf))).toBe(false);
  });

  test("for another rule set waits for the one under way", async () => {
    const { restore, state, rebuilds } = setUp();
    await Promise.all([restore(ruleSet), restore(changed), restore(changed)]);
    expect(await rebuilds()).toBe(2);
    expect(await state.isCurrent([...ruleSet.correlations, ...stricter].map(seriesOf))).toBe(true);
  });

  test("is unavailable while another worker rebuilds, and possible afterwards", async () => {
    const { restore, ledger } = setUp();
    await ledger.exclusive("state-rebuild", async () => {
      await expect(restore(ruleSet)).rejects.toThrow(UnavailableError);
    });
    await expect(restore(ruleSet)).resolves.toBeUndefined();
  });

  test("fails when the ledger fails or a member cannot be added, and trusts nothing then", async () => {
    const ledger = createMemoryLedger({ now });
    await ledger.accept(login("a", 0));
    const memory = createMemoryState({ now });
    const failing: State = {
      ...memory,
      rebuild: (coverage, replay) =>
        memory.rebuild(coverage, () => replay(() => Promise.reject(new UnavailableError("redis", "away")))),
    };
    await expect(setUp({ ledger, state: failing }).restore(ruleSet)).rejects.toThrow("away");
    expect(await memory.isCurrent(ruleSet.correlations.map(seriesOf))).toBe(false);
  });

  test("stops when its lock is lost", async () => {
    const memory = createMemoryLedger({ now });
    await memory.accept(login("a", 0));
    const losing: Ledger = {
      ...memory,
      exclusive: (_name, work) => work(AbortSignal.abort(new Error("lock lost"))),
    };
    await expect(setUp({ ledger: losing }).restore(ruleSet)).rejects.toThrow("lock lost");
  });

  test("by a clock that is ahead makes events late, not lost", async () => {
    const ledger = createMemoryLedger({ now });
    const state = createMemoryState({ now });
    await setUp({ ledger, state, now: () => testNow + 86_400_000 }).restore(ruleSet);
    const { detect } = createTestAnalysis({ ledger, state });
    for (const id of ["a", "b"]) await detect(login(id, 0));
    expect(await detect(login("c", 0))).toHaveLength(1);
  });
});

describe("preparing windows", () => {
  function prepared(restore: Restore, state: State) {
    return createPreparation({ state, restore, log });
  }

  test("rebuilds at the first start and not at the next one with the same rules", async () => {
    const { restore, state, rebuilds } = setUp();
    for (let start = 0; start < 2; start += 1) {
      await using preparation = prepared(restore, state);
      preparation.prepare(ruleSet);
      await expect.poll(() => state.isCurrent(ruleSet.correlations.map(seriesOf))).toBe(true);
    }
    expect(await rebuilds()).toBe(1);
  });

  test("rebuilds when other rules were in force meanwhile, though the windows look current", async () => {
    const { restore, state, rebuilds } = setUp();
    await using preparation = prepared(restore, state);
    for (const [index, rules] of [ruleSet, changed, ruleSet].entries()) {
      preparation.prepare(rules);
      await expect.poll(rebuilds).toBe(index + 1);
    }
  });

  test("tries again until it succeeds", async () => {
    const { restore, state, rebuilds } = setUp();
    let failures = 1;
    const flaky: Restore = async (...args) => {
      failures -= 1;
      if (failures >= 0) throw new UnavailableError("postgres", "away");
      await restore(...args);
    };
    await using preparation = prepared(flaky, state);
    preparation.prepare(ruleSet);
    await expect.poll(rebuilds, { timeout: 5000 }).toBe(1);
  });
});
