import { describe, expect, test } from "vitest";

import { compile } from "../compiling.testing.ts";
import { correlation, named } from "../language/correlation.testing.ts";
import { limits } from "../language/limits.ts";

const count = (id: string, rules: string) =>
  correlation(id, { type: "event_count", rules, timespan: "1m", condition: "{gte: 2}" });
const load = (...texts: readonly string[]) => {
  const { ruleSet, problems } = compile(named("a"), ...texts);
  return {
    ids: ruleSet.correlations.map(({ id }) => id),
    correlations: ruleSet.correlations,
    codes: problems.map(({ code, file, line, column }) => [code, file, line, column]),
    messages: problems.map(({ message }) => message),
  };
};

describe("chains of correlations", { timeout: 60_000 }, () => {
  test("are resolved in whatever order they stand, and keep it", () => {
    const { ids, codes, correlations } = load(
      count("top", "[middle, a]"),
      count("middle", "low"),
      count("low", "a"),
    );
    expect(codes).toEqual([]);
    expect(ids).toEqual(["top", "middle", "low"]);
    expect(correlations[0]?.refersTo).toEqual([
      { kind: "correlation", id: "middle" },
      { kind: "rule", id: "id-a" },
    ]);
  });

  test("an id counts more than a name", () => {
    const other = count("x", "a").replace("correlation:", "name: id-a\ncorrelation:");
    expect(load(other, count("top", "id-a")).correlations[1]?.refersTo).toEqual([
      { kind: "rule", id: "id-a" },
    ]);
  });

  test("the revision of a correlation changes with what it refers to, however far away", () => {
    const revision = (detection: string) => {
      const rule = named("a").replace("{a: a}", detection);
      return compile(rule, count("low", "a"), count("top", "low")).ruleSet.correlations[1]?.revision;
    };
    expect(revision("{a: A}")).toBe(revision("{a: a}"));
    expect(revision("{a: b}")).not.toBe(revision("{a: a}"));
  });

  test("of more levels than are allowed are refused", () => {
    const chain = Array.from({ length: limits.chainLength + 1 }, (_, index) =>
      count(`c${index}`, index === 0 ? "a" : `c${index - 1}`),
    );
    expect(load(...chain.slice(0, -1)).codes).toEqual([]);
    const { ids, codes } = load(...chain);
    expect(ids).toHaveLength(limits.chainLength);
    expect(codes).toEqual([["CORRELATION_INVALID", "10.yml", 1, 1]]);
  });

  test("of thousands of levels do not exhaust the stack", () => {
    const names = Array.from({ length: 5000 }, (_, index) => `c${index}`);
    const text = names.map((name, index) => count(name, names[index + 1] ?? "a")).join("---\n");
    const { ids, codes } = load(text);
    expect(ids).toEqual(names.slice(-limits.chainLength));
    expect(new Set(codes.map(([code]) => code))).toEqual(
      new Set(["CORRELATION_INVALID", "CORRELATION_RULE_UNKNOWN"]),
    );
  });

  test("that lead to a refused correlation are refused, those beside it are not", () => {
    const { ids, codes } = load(count("low", "nothing"), count("top", "[a, low]"), count("other", "a"));
    expect(ids).toEqual(["other"]);
    expect(codes).toEqual([
      ["CORRELATION_RULE_UNKNOWN", "2.yml", 5, 10],
      ["CORRELATION_RULE_UNKNOWN", "3.yml", 5, 14],
    ]);
  });
});

describe("circles of correlations are refused by name", { timeout: 60_000 }, () => {
  test("of two", () => {
    const { ids, codes, messages } = load(count("x", "[a, y]"), count("y", "x"), count("z", "a"));
    expect(ids).toEqual(["z"]);
    expect(codes).toEqual([
      ["CORRELATION_CYCLE", "2.yml", 5, 14],
      ["CORRELATION_CYCLE", "3.yml", 5, 10],
    ]);
    expect(messages).toEqual([
      "Correlations refer to each other in a circle: x -> y -> x.",
      "Correlations refer to each other in a circle: y -> x -> y.",
    ]);
  });

  test("of one", () => {
    expect(load(count("x", "x")).messages).toEqual(["Correlations refer to each other in a circle: x -> x."]);
  });

  test("also what leads into one", () => {
    const { codes, messages } = load(count("in", "[x]"), count("x", "y"), count("y", "x"));
    expect(codes.map(([code]) => code)).toEqual(Array.from({ length: 3 }, () => "CORRELATION_CYCLE"));
    expect(messages[0]).toBe("Correlations refer to each other in a circle: in -> x -> y -> x.");
  });

  test("of thousands, with short messages", () => {
    const names = Array.from({ length: 2000 }, (_, index) => `c${index}`);
    const text = names
      .map((name, index) => count(name, names[(index + 1) % names.length] ?? ""))
      .join("---\n");
    const { ids, codes, messages } = load(text);
    expect(ids).toEqual([]);
    expect(codes).toHaveLength(2000);
    expect(Math.max(...messages.map(({ length }) => length))).toBeLessThan(500);
  });
});
