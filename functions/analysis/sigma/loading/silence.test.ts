import { describe, expect, test } from "vitest";

import { compile } from "../compiling.testing.ts";
import { correlation, failed, whole } from "../language/correlation.testing.ts";

const silent = (...texts: readonly string[]) => compile(failed, ...texts).ruleSet.rules[0]?.silent;

describe("a rule a correlation refers to", () => {
  test("raises nothing by itself", () => expect(silent(whole())).toBe(true));
  test("raises when nothing refers to it", () => expect(silent()).toBe(false));
  test("raises when the correlation says so", () => expect(silent(whole({ generate: "true" }))).toBe(false));
  test("raises when the document says so", () => expect(silent(`${whole()}generate: true\n`)).toBe(false));
  test("raises when one of two correlations says so", () => {
    const other = whole({ generate: "true" }).replace("id-burst", "id-other");
    expect(silent(whole(), other)).toBe(false);
  });
  test("stays silent when the correlation is refused: a typing error must not make a flood of alerts", () => {
    expect(silent(whole({ timespan: "sixty" }))).toBe(true);
    expect(silent(whole({ type: "event_cuont" }))).toBe(true);
    expect(silent(whole({ rules: "[failed_login, unknown]" }))).toBe(true);
    expect(silent(`${whole()}detection: {s: {a: 1}, condition: s}\n`)).toBe(true);
  });
  test("is still answered by match, so that the correlation can count it", () => {
    const { ruleSet } = compile(failed, whole());
    expect(ruleSet.match({ result: "FAILURE" }, { category: "test" })).toMatchObject([
      { id: "id-failed", silent: true },
    ]);
  });
});

describe("a correlation another one refers to", () => {
  const parent = (changes: Record<string, string> = {}) =>
    correlation("id-parent", {
      type: "event_count",
      rules: "id-burst",
      timespan: "1h",
      condition: "{gte: 2}",
      ...changes,
    });
  const silences = (...texts: readonly string[]) =>
    compile(failed, ...texts).ruleSet.correlations.map(({ id, silent }) => [id, silent]);

  test("raises nothing by itself", () => {
    expect(silences(whole(), parent())).toEqual([
      ["id-burst", true],
      ["id-parent", false],
    ]);
  });
  test("raises when the other says so", () => {
    expect(silences(whole(), parent({ generate: "true" }))[0]).toEqual(["id-burst", false]);
  });
  test("stays silent when the other is refused", () => {
    expect(silences(whole(), parent({ timespan: "soon" }))).toEqual([["id-burst", true]]);
  });
});
