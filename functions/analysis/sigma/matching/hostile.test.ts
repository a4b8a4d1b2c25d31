import { afterEach, describe, expect, test } from "vitest";

import type { Expression } from "../language/expression.ts";
import { answer, field, keywords, like } from "./both.testing.ts";
import { createRuleIndex } from "./rule-index.ts";

const isA = field("f", like("a"));

function nest(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = "needle";
  for (let i = 0; i < depth; i += 1) value = wrap(value);
  return value;
}

describe("events nobody should send", () => {
  test.for([
    ["objects", (inner: unknown) => ({ f: inner })],
    ["lists", (inner: unknown) => [inner]],
  ] as const)("10,000 %s deep", ([, wrap]) => {
    const fields = { f: nest(10_000, wrap) };
    expect(answer(keywords("needle"), fields)).toBe(true);
    expect(answer(field("f.f.f", like("*other*")), fields)).toBe(false);
    expect(answer(field(`f${".f".repeat(300)}`, like("*")), fields)).toBe(false);
  });

  test("a text is found behind 10,000 lists", () => {
    expect(answer(field("f", like("needle")), { f: nest(10_000, (inner) => [inner]) })).toBe(true);
  });

  const suffixed = (length: number) => ({ f: `${"a".repeat(length)}needle` });
  const onLongText: readonly (readonly [Expression, boolean])[] = [
    [field("f", like("*needle*")), true],
    [field("f", like("*aaaaaaaab*")), false],
    [field("f", like("*a*a*a*a*b")), false],
    [field("f", { kind: "regex", source: "(a+)+$", flags: "" }), false],
    [keywords("needle"), true],
  ];

  test("64 KiB in one value", () => {
    for (const [detection, expected] of onLongText)
      expect(answer(detection, suffixed(65_536))).toBe(expected);
  });

  test("a megabyte in one value", () => {
    const index = createRuleIndex(onLongText.map(([detection], id) => ({ id, detection })));
    expect(index.match(suffixed(1_000_000)).map(({ id }) => id)).toEqual([0, 4]);
  });

  test("100,000 members, of which the last counts", () => {
    const members = Array.from<unknown>({ length: 100_000 }).fill("b");
    expect(answer(isA, { f: [...members, "a"] })).toBe(true);
    expect(answer(field("f.g", like("a")), { f: [...members, { g: "a" }] })).toBe(true);
    expect(answer(keywords("needle"), { f: [...members, "needle"] })).toBe(true);
  });

  test("what such an event held is not kept", () => {
    const index = createRuleIndex([{ detection: isA }]);
    const held = new WeakRef({ big: "x" });
    index.match({ f: [...Array.from<unknown>({ length: 1000 }).fill("b"), held.deref()] });
    expect(index.match({ f: "a" })).toHaveLength(1);
    expect(index.match({ f: "b" })).toHaveLength(0);
  });

  test("100,000 names", () => {
    const entries = Array.from({ length: 100_000 }, (_, i) => [`name${i}`, "x"] as const);
    expect(answer(isA, { ...Object.fromEntries(entries), f: "a" })).toBe(true);
  });

  test("objects that hold themselves", () => {
    const fields: Record<string, unknown> = { f: "a" };
    fields["self"] = fields;
    fields["list"] = [fields, fields];
    expect(answer(isA, fields)).toBe(true);
    expect(answer(keywords("needle"), fields)).toBe(false);
    expect(answer(field("self.list.self.f", like("a")), fields)).toBe(true);
    expect(answer(field("self", like("*")), fields)).toBe(false);
  });

  test("a list that holds itself", () => {
    const list: unknown[] = ["a"];
    list.push(list);
    expect(answer(isA, { f: list })).toBe(true);
  });

  test("a getter that throws is absent, and the rest is there", () => {
    const fields = {
      get g(): string {
        throw new Error("no");
      },
      f: "a",
    };
    expect(answer(isA, fields)).toBe(true);
    expect(answer({ kind: "null", field: "g" }, fields)).toBe(true);
    expect(answer(keywords("a"), fields)).toBe(true);
  });

  test("proxies that throw, and values that cannot be written as JSON", () => {
    const refusing = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error("no");
        },
        getPrototypeOf: () => {
          throw new Error("no");
        },
      },
    );
    const odd = {
      toJSON: () => {
        throw new Error("no");
      },
    };
    expect(answer(isA, refusing)).toBe(false);
    expect(answer(keywords("a"), refusing)).toBe(false);
    expect(answer(isA, { f: refusing })).toBe(false);
    expect(answer(field("f", like("*")), { f: odd })).toBe(false);
    expect(answer(isA, { f: ["a", refusing, odd, 1n, Symbol("s"), () => "a"] })).toBe(true);
  });

  test("a getter that matches another event meanwhile disturbs nothing", () => {
    const index = createRuleIndex([
      { id: 1, detection: isA },
      { id: 2, detection: field("g", like("b")) },
    ]);
    const inner: unknown[] = [];
    const fields = {
      f: "a",
      get g(): string {
        inner.push(...index.match({ g: "b" }).map(({ id }) => id));
        return "c";
      },
    };
    expect(index.match(fields).map(({ id }) => id)).toEqual([1]);
    expect(inner).toContain(2);
    expect(index.match({ g: "b" }).map(({ id }) => id)).toEqual([2]);
  });
});

describe("a polluted prototype", () => {
  const prototype = Object.prototype as unknown as Record<string, unknown>;
  afterEach(() => {
    delete prototype["f"];
  });

  test("gives no event a field", () => {
    prototype["f"] = "a";
    expect(answer(isA, {})).toBe(false);
    expect(answer(isA, { g: 1 })).toBe(false);
    expect(answer(isA, { f: "a" })).toBe(true);
    expect(answer({ kind: "exists", field: "f", expected: true }, {})).toBe(false);
    expect(answer(field("g.f", like("a")), { g: {} })).toBe(false);
    expect(answer(keywords("a"), { g: "x" })).toBe(false);
  });
});

describe("long lives", () => {
  test("answers stay right when a field's values stop repeating, and when they begin again", () => {
    const detections: Expression[] = [
      field("f", like("*7")),
      field("f", like("12*")),
      field("f", like("x5")),
    ];
    const index = createRuleIndex(detections.map((detection) => ({ detection })));
    const count = (value: string) => index.match({ f: value }).length;
    let wrong = 0;
    for (let i = 0; i < 40_000; i += 1) {
      const unique = `${i}`;
      const expected = Number(unique.endsWith("7")) + Number(unique.startsWith("12"));
      if (count(unique) !== expected) wrong += 1;
      if (count(`x${i % 20}`) !== Number(i % 20 === 5) + Number(i % 20 === 7 || i % 20 === 17)) wrong += 1;
    }
    expect(wrong).toBe(0);
  });

  test("nothing found is always the same frozen list", () => {
    const index = createRuleIndex([{ detection: isA }]);
    const none = index.match({ f: "b" });
    expect(index.match({})).toBe(none);
    expect(Object.isFrozen(none)).toBe(true);
  });
});
