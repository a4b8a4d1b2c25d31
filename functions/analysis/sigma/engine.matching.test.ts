import { describe, expect, test } from "vitest";

import { createEngine } from "./engine.ts";
import { document, holds, refusal, ruleOf } from "./engine.testing.ts";

describe("arrays and nesting", () => {
  test.for([
    ["a member of an array", { f: "b" }, { f: ["a", "b"] }, true],
    ["no member of an array", { f: "c" }, { f: ["a", "b"] }, false],
    ["all by different members", { "f|all": ["a", "b"] }, { f: ["a", "b"] }, true],
    ["all, one missing", { "f|all": ["a", "c"] }, { f: ["a", "b"] }, false],
    ["all parts by different members", { "f|contains|all": ["x", "y"] }, { f: ["ax", "ay"] }, true],
    ["arrays in arrays", { f: "b" }, { f: [["a"], [["b"]]] }, true],
    ["an empty array is there", { "f|exists": true }, { f: [] }, true],
    ["a path", { "a.b.c": 1 }, { a: { b: { c: 1 } } }, true],
    ["a path across an array of objects", { "a.b": "y" }, { a: [{ b: "x" }, { b: "y" }] }, true],
    ["a path across arrays at every step", { "a.b.c": 3 }, { a: [{ b: [{ c: 2 }, { c: 3 }] }] }, true],
    ["a literal name", { "a.b": 1 }, { "a.b": 1 }, true],
    ["a literal name beats nesting", { "a.b": 2 }, { "a.b": 1, a: { b: 2 } }, false],
    ["a longer literal name beats a shorter one", { "a.b.c": 1 }, { "a.b": { c: 1 }, a: { "b.c": 2 } }, true],
    [
      "nesting beside a literal name that leads nowhere",
      { "a.b.c": 2 },
      { "a.b": "x", a: { b: { c: 2 } } },
      true,
    ],
    ["a path that ends too early", { "a.b": 1 }, { a: 1 }, false],
    ["two items of one field", { "f|startswith": "a", "f|endswith": "c" }, { f: "abc" }, true],
    ["two items of one field, one false", { "f|startswith": "a", "f|endswith": "x" }, { f: "abc" }, false],
    ["items of a map together", { f: 1, g: 2 }, { f: 1, g: 3 }, false],
  ] as const)("%s", ([, selection, event, expected]) => expect(holds({ selection }, event)).toBe(expected));

  test.for(["constructor", "__proto__", "toString", "hasOwnProperty", "f.length", "f.constructor"])(
    "%s is no field unless the event says so",
    (name) => {
      expect(holds({ selection: { [`${name}|exists`]: true } }, { f: "text", g: [1, 2] })).toBe(false);
      expect(holds({ selection: { [`${name}|exists`]: true } }, JSON.parse(`{"${name}": 1}`) as object)).toBe(
        true,
      );
    },
  );
});

describe("selections", () => {
  test.for([
    ["a list of maps is any of them", [{ f: 1 }, { g: 2 }], { g: 2 }, true],
    ["a list of maps is none of them", [{ f: 1 }, { g: 2 }], { g: 3 }, false],
    ["a list in a list", [[{ f: 1 }], { g: 2 }], { f: 1 }, true],
    ["texts beside maps", ["word", { g: 2 }], { x: "some word" }, true],
  ] as const)("%s", ([, selection, event, expected]) => expect(holds({ selection }, event)).toBe(expected));
});

describe("keywords", () => {
  test.for([
    ["in any value", ["evil"], { a: { b: ["x", "an evil text"] } }, true],
    ["without case", ["EVIL"], { a: "evil" }, true],
    ["not in names", ["evil"], { evil: "x" }, false],
    ["with wildcards", ["e*l"], { a: "x evening fall y" }, true],
    ["numbers", [4625], { id: 4625 }, true],
    ["any of them", ["a1", "b2"], { x: "b2" }, true],
    ["a single one without a list", "evil", { a: "evil" }, true],
    ["all, in different values", { "|all": ["one", "two"] }, { a: "one", b: "two" }, true],
    ["all, one missing", { "|all": ["one", "two"] }, { a: "one", b: "three" }, false],
    ["a regular expression", { "|re": "e.il" }, { a: "an evil" }, true],
  ] as const)("%s", ([, selection, event, expected]) => expect(holds({ selection }, event)).toBe(expected));
});

/** Four selections that hold when the event has a field of their name; `_d` is hidden. */
function condition(text: string | readonly string[], event: object): boolean {
  const selections = { sel_a: { "a|exists": true }, sel_b: { "b|exists": true }, c: { "c|exists": true } };
  const detection = { ...selections, _d: { "d|exists": true }, condition: text };
  return createEngine([ruleOf(detection)]).evaluate(event, { category: "test" }).length > 0;
}

describe("conditions", () => {
  test.for([
    ["sel_a", "a", true],
    ["sel_a and sel_b", "a", false],
    ["sel_a and sel_b", "ab", true],
    ["sel_a or sel_b", "b", true],
    ["not sel_a", "b", true],
    ["not not sel_a", "a", true],
    ["sel_a and not sel_b", "a", true],
    ["sel_a or sel_b and c", "a", true],
    ["(sel_a or sel_b) and c", "a", false],
    ["not sel_a and sel_b", "b", true],
    ["not (sel_a or sel_b)", "a", false],
    ["1 of sel_*", "b", true],
    ["any of sel_*", "b", true],
    ["1 of sel_*", "c", false],
    ["all of sel_*", "ab", true],
    ["all of sel_*", "a", false],
    ["not 1 of sel_*", "c", true],
    ["not all of sel_*", "a", true],
    ["1 of them", "d", false],
    ["1 of them", "c", true],
    ["all of them", "abc", true],
    ["1 of _*", "d", true],
    ["1 of *_a", "a", true],
    ["1 of *", "d", false],
    ["sel_a and 1 of sel_b", "ab", true],
  ] as const)("%s, on %s: %s", ([text, letters, expected]) => {
    const event = Object.fromEntries(letters.split("").map((letter) => [letter, 1]));
    expect(condition(text, event)).toBe(expected);
  });

  test("a list of conditions is any of them", () => {
    expect(condition(["sel_a", "sel_b and c"], { b: 1, c: 1 })).toBe(true);
    expect(condition(["sel_a", "sel_b and c"], { b: 1 })).toBe(false);
  });

  test.for(["notepad_x", "order", "android", "them_all", "of", "all_x", "1"])(
    "%s is an identifier like any other",
    (name) => {
      expect(holds({ [name]: { f: 1 }, condition: name }, { f: 1 })).toBe(true);
      expect(holds({ [name]: { f: 1 }, other: { g: 1 }, condition: `other and not ${name}` }, { g: 1 })).toBe(
        true,
      );
    },
  );

  test.for([
    ["upper case", "sel_a AND c"],
    ["a pipe", "sel_a | count() > 5"],
    ["an identifier that is not there", "sel_x"],
    ["a pattern that names nothing", "1 of x_*"],
    ["two identifiers in a row", "sel_a c"],
    ["an open bracket", "(sel_a"],
    ["nothing", ""],
    ["more than one of", "2 of sel_*"],
  ] as const)("%s is refused", ([, text]) => {
    const selections = { sel_a: { a: 1 }, sel_b: { b: 1 }, c: { c: 1 } };
    expect(refusal({ ...selections, condition: text })).toMatch(/^RULE_(CONDITION|IDENTIFIER|SELECTOR)/);
  });
});

describe("log sources", () => {
  const applies = (rule: object, event: object) =>
    createEngine([ruleOf({ selection: { f: 1 } }, { logsource: rule })]).evaluate({ f: 1 }, event).length ===
    1;
  test.for([
    ["the same", { product: "linux", service: "sshd" }, { product: "linux", service: "sshd" }, true],
    ["fewer attributes in the rule", { product: "linux" }, { product: "linux", service: "sshd" }, true],
    ["more attributes in the rule", { product: "linux", service: "sshd" }, { product: "linux" }, false],
    ["another value", { product: "linux" }, { product: "windows" }, false],
    ["any case", { product: "Linux" }, { product: "LINUX" }, true],
    ["one of several categories", { category: "b" }, { category: ["a", "b"] }, true],
    ["none of several categories", { category: "c" }, { category: ["a", "b"] }, false],
    [
      "one of several categories, and a product",
      { category: "b", product: "x" },
      { category: ["a", "b"] },
      false,
    ],
    ["no category", { category: "b" }, { category: [] }, false],
    ["an event without a log source", { product: "linux" }, {}, false],
    ["a definition takes no part", { product: "linux", definition: "auditd on" }, { product: "linux" }, true],
    ["a key of one's own must be asserted", { product: "linux", vendor: "x" }, { product: "linux" }, false],
    [
      "a key of one's own that is asserted",
      { product: "linux", vendor: "x" },
      { product: "linux", vendor: "x" },
      true,
    ],
  ] as const)("%s", ([, rule, event, expected]) => expect(applies(rule, event)).toBe(expected));

  test("a rule that only excludes does not match what it was not written for", () => {
    const text = ruleOf(
      { selection: { f: 1 }, condition: "not selection" },
      { logsource: { product: "zeek" } },
    );
    expect(createEngine([text]).evaluate({ g: 1 }, { product: "linux" })).toEqual([]);
  });
});

describe("filters", () => {
  const rules = [
    ruleOf({ selection: { f: 1 } }, { id: "one", name: "name_one" }),
    ruleOf(
      { selection: { f: 1 }, filter: { g: 9 }, condition: "1 of selection* and not filter" },
      { id: "two", title: "Two" },
    ),
    ruleOf({ selection: { f: 1 } }, { id: "three", title: "Three", logsource: { category: "other" } }),
  ];
  const filter = (content: object, changes: object = {}) =>
    document({
      title: "A filter",
      id: "filter",
      logsource: { category: "test" },
      filter: content,
      ...changes,
    });
  const found = (...texts: readonly string[]) =>
    createEngine([...rules, ...texts]).evaluate({ f: 1, user: "admin" }, { category: ["test", "other"] });
  const admin = { selection: { user: "admin" } };

  test("exclude by id and by name, with the condition as it is written", () => {
    expect(found(filter({ rules: ["one"], ...admin, condition: "not selection" }))).toEqual(["two", "three"]);
    expect(found(filter({ rules: ["name_one"], ...admin, condition: "not selection" }))).toEqual([
      "two",
      "three",
    ]);
    expect(found(filter({ rules: ["one"], ...admin, condition: "selection" }))).toEqual([
      "one",
      "two",
      "three",
    ]);
  });

  test("of any rule reach those of the same log source", () => {
    expect(found(filter({ rules: "any", ...admin, condition: "not selection" }))).toEqual(["three"]);
  });

  test("have names of their own, also in patterns", () => {
    const other = { selection_x: { user: "nobody" }, filter: { f: 1 } };
    expect(found(filter({ rules: ["two"], ...other, condition: "not selection_x" }))).toContain("two");
    expect(found(filter({ rules: ["two"], ...other, condition: "not 1 of filter*" }))).not.toContain("two");
  });

  test("together exclude what any of them excludes", () => {
    const two = filter(
      { rules: ["two"], ...admin, condition: "not selection" },
      { id: "filter2", title: "Second" },
    );
    expect(found(filter({ rules: ["one"], ...admin, condition: "not selection" }), two)).toEqual(["three"]);
  });
});

test("odd events are survived and matched by what they have", () => {
  const engine = createEngine([
    ruleOf({ selection: { f: 1 } }),
    ruleOf({ selection: ["x"] }, { id: "words", title: "Words" }),
  ]);
  const deep: { f: number; child?: object } = { f: 1 };
  let inner: { child?: object } = deep;
  for (let depth = 0; depth < 20_000; depth += 1) {
    const child = {};
    inner.child = child;
    inner = child;
  }
  expect(engine.evaluate(deep, { category: "test" })).toEqual(["rule"]);
  const throwing = Object.defineProperty({}, "f", { get: () => 1, enumerable: true });
  expect(engine.evaluate(throwing, { category: "test" })).toEqual(["rule"]);
  const odd: readonly unknown[] = [null, undefined, "text", 1, [], () => {}];
  for (const event of odd) {
    expect(engine.evaluate(event as object, { category: "test" })).toEqual([]);
    expect(engine.process(1, event as object, { category: "test" })).toEqual({
      detections: [],
      correlations: [],
    });
    expect(engine.evaluate({ f: 1 }, event as object)).toEqual([]);
  }
  expect(engine.evaluate(JSON.parse('{"__proto__": {"f": 1}}') as object, { category: "test" })).toEqual([]);
});

test("an event that matches nothing costs no memory", () => {
  const engine = createEngine([ruleOf({ selection: { f: 1 } })]);
  const logsource = { category: "test" };
  expect(engine.evaluate({}, logsource)).toBe(engine.evaluate({ f: 2 }, logsource));
  expect(engine.process(1, {}, logsource)).toBe(engine.process(2, { f: 2 }, logsource));
});
