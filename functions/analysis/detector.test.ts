import { describe, expect, test } from "vitest";

import type { Event } from "../../events/event.ts";
import { createFailpoint } from "../../runtime/failpoints.ts";
import { UnavailableError } from "../../runtime/failure.ts";
import type { Ledger } from "../../runtime/ledger/ledger.ts";
import { createMemoryLedger } from "../../runtime/ledger/memory.ts";
import { createMemoryState } from "../../runtime/state/memory.ts";
import type { State } from "../../runtime/state/state.ts";
import { alertsOf, compileTestRules, createTestAnalysis, login, testNow } from "./analysis.testing.ts";

const now = () => testNow;
const shadow = { event_type: "file_modified", details: { resource: "/etc/shadow" } };

/** A ledger or state that writes down what is asked of it. */
function watched<Subject extends object>(subject: Subject, calls: string[]): Subject {
  return new Proxy(subject, {
    get(target, name) {
      const operation: unknown = Reflect.get(target, name);
      if (typeof operation !== "function") return operation;
      return (...args: unknown[]): unknown => {
        calls.push(String(name));
        return Reflect.apply(operation, target, args);
      };
    },
  });
}

describe("an audit event", () => {
  test("is stored before it is in a window, and its alerts are recorded before they are confirmed", async () => {
    const calls: string[] = [];
    const { detect, restore, rules } = createTestAnalysis({
      state: watched(createMemoryState({ now }), calls),
      ledger: watched(createMemoryLedger({ now }), calls),
    });
    await restore(rules());
    for (const id of ["a", "b"]) await detect(login(id, 0));
    calls.length = 0;
    await detect(login("c", 1));
    expect(calls).toEqual(["accept", "window", "record", "confirm"]);
  });

  test("that completes a burst is answered with one alert carrying all of it", async () => {
    const { detect } = createTestAnalysis();
    expect(await detect(login("a", 0))).toEqual([]);
    expect(await detect(login("b", 1))).toEqual([]);
    const [alert] = alertsOf(await detect(login("c", 2)));
    expect(alert?.evidence?.map(({ id }) => id)).toEqual(["a", "b", "c"]);
    const [next] = alertsOf(await detect(login("d", 3)));
    expect(next).toMatchObject({ alert_id: alert?.alert_id, count: 4, evidence: [{ id: "d" }] });
  });

  test("that comes again is answered with exactly what was recorded", async () => {
    const { detect } = createTestAnalysis();
    for (const id of ["a", "b"]) await detect(login(id, 0));
    const first = await detect(login("c", 0));
    await detect(login("d", 0));
    expect(await detect(login("c", 0))).toEqual(first);
    expect(first).toHaveLength(1);
  });

  test("under a used id but with other data is refused for ever, and changes nothing", async () => {
    const { detect, ledger } = createTestAnalysis();
    await detect(login("a", 0));
    await expect(detect(login("a", 0, { user_id: "alice" }))).rejects.toMatchObject({
      name: "PermanentError",
      code: "EVENT_ID_REUSED",
      pointer: "/id",
    });
    expect(await ledger.counts()).toMatchObject({ accepted: 1, evaluated: 1 });
  });

  test("of an unknown log source is refused visibly, not passed over", async () => {
    const { detect } = createTestAnalysis();
    await expect(detect(login("a", 0, { event_type: "coffee_made" }))).rejects.toMatchObject({
      name: "PermanentError",
      code: "EVENT_LOGSOURCE_UNKNOWN",
      pointer: "/data/logsource",
    });
    const stated = login("b", 0, { event_type: "coffee_made", logsource: { category: "authentication" } });
    await expect(detect(stated)).resolves.toEqual([]);
  });

  test("that lacks a field of the group counts for nobody", async () => {
    const { detect } = createTestAnalysis();
    for (const id of ["a", "b", "c", "d"]) {
      expect(await detect(login(id, 0, { server_hostname: undefined }))).toEqual([]);
    }
  });

  test("later than the lateness is counted, and evaluated from the ledger", async () => {
    const { detect, metrics } = createTestAnalysis({ latenessMs: 60_000 });
    for (const id of ["a", "b"]) await detect(login(id, -300));
    await detect(login("newest", 0));
    const [alert] = alertsOf(await detect(login("c", -290)));
    expect(alert?.evidence?.map(({ id }) => id)).toEqual(["a", "b", "c"]);
    expect((await metrics.eventsLate.get()).values[0]?.value).toBe(1);
  });

  test("from the future counts when it was accepted", async () => {
    const { detect } = createTestAnalysis();
    for (const id of ["a", "b"]) await detect(login(id, 0));
    expect(await detect(login("c", 86_400))).toHaveLength(1);
  });

  test("that comes while no rule is in force stays pending, and is judged when it comes again", async () => {
    let ruleSet = compileTestRules("");
    const { detect, ledger } = createTestAnalysis({ rules: () => ruleSet });
    const burst = [login("a", 0), login("b", 0), login("c", 0)];
    for (const event of burst) {
      await expect(detect(event)).rejects.toMatchObject({ name: "UnavailableError", dependency: "rules" });
    }
    expect(await ledger.counts()).toMatchObject({ accepted: 3, evaluated: 0, pending: 3 });
    ruleSet = compileTestRules();
    const answers = [];
    for (const event of burst) answers.push(...(await detect(event)));
    const alerts = alertsOf(answers);
    expect(new Set(alerts.map(({ alert_id }) => alert_id)).size).toBe(1);
    expect(new Set(alerts.flatMap(({ evidence }) => evidence?.map(({ id }) => id)))).toEqual(
      new Set(["a", "b", "c"]),
    );
  });

  test("is judged by one rule set, though the rules change meanwhile", async () => {
    let asked = 0;
    const sets = [compileTestRules(), compileTestRules(), compileTestRules()];
    const rules = () => sets[asked++ % sets.length] ?? compileTestRules();
    const { detect } = createTestAnalysis({ rules });
    asked = 0;
    await detect(login("a", 0));
    expect(asked).toBe(1);
  });
});

describe("when something fails", () => {
  test.for(["accept", "after-accept", "after-window", "record", "after-record", "before-answer"])(
    "%s: the event comes again and its alert is told, once",
    async (place) => {
      let failing = true;
      const failpoint = createFailpoint(`${place}:execute-then-throw`, { random: () => (failing ? 0 : 1) });
      const { detect, ledger } = createTestAnalysis({ failpoint });
      await expect(detect(login("a", 0, shadow))).rejects.toThrow(place);
      failing = false;
      const answer = await detect(login("a", 0, shadow));
      expect(answer).toHaveLength(1);
      expect(await ledger.unstored({ olderThanMs: 0, limit: 10 })).toEqual(answer);
    },
  );

  test("evidence that cannot be confirmed is told again, and the answer stands", async () => {
    const state = createMemoryState({ now });
    const confirm = () => Promise.reject(new UnavailableError("redis", "away"));
    const { detect } = createTestAnalysis({ state: { ...state, confirm } });
    for (const id of ["a", "b"]) await detect(login(id, 0));
    expect(await detect(login("c", 0))).toHaveLength(1);
    expect(alertsOf(await detect(login("d", 0)))[0]?.evidence).toHaveLength(4);
  });

  test("a state that is away makes it unavailable, with the event kept for later", async () => {
    const state: State = {
      ...createMemoryState({ now }),
      window: () => Promise.reject(new UnavailableError("redis", "away")),
    };
    const { detect, ledger } = createTestAnalysis({ state });
    await expect(detect(login("a", 0))).rejects.toThrow(UnavailableError);
    expect(await ledger.counts()).toMatchObject({ accepted: 1, pending: 1 });
  });

  test("windows lost under another worker's rebuild make it unavailable", async () => {
    const held: Ledger = { ...createMemoryLedger({ now }), exclusive: async () => undefined };
    await expect(createTestAnalysis({ ledger: held }).detect(login("a", 0))).rejects.toThrow(
      UnavailableError,
    );
  });

  test("when two runs of one event race, only what the ledger kept is confirmed", async () => {
    const state = createMemoryState({ now });
    const ledger = createMemoryLedger({ now });
    const { detect } = createTestAnalysis({ state, ledger });
    for (const id of ["a", "b"]) await detect(login(id, 0));

    // The slow run saw the window after `d` had come, but the fast one is recorded, without `d`.
    const gate = Promise.withResolvers<void>();
    const slowState: State = {
      ...state,
      window: async (step) => {
        await gate.promise;
        return await state.window(step);
      },
    };
    const slow = createTestAnalysis({ state: slowState, ledger }).detect(login("c", 0));
    const fast = await detect(login("c", 0));
    await state.window(await stepOf(state, login("d", 0)));
    gate.resolve();
    expect(await slow).toEqual(fast);
    expect(alertsOf(await detect(login("e", 0)))[0]?.evidence?.map(({ id }) => id)).toContain("d");
  });
});

/** The step a detector would take for an event, caught on its way to the state. */
async function stepOf(state: State, event: Event<Parameters<typeof login>[2] & { event_type: string }>) {
  const caught = Promise.withResolvers<Parameters<State["window"]>[0]>();
  const catching: State = {
    ...state,
    window: async (step) => {
      caught.resolve(step);
      return { qualified: [], late: false };
    },
  };
  await createTestAnalysis({ state: catching }).detect(event);
  return await caught.promise;
}
