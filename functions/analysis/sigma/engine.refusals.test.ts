import { describe, expect, test } from "vitest";

import { createEngine } from "./engine.ts";
import { codesOf, correlationText, holds, letters, refusal, ruleOf } from "./engine.testing.ts";

describe("networks", () => {
  test.for([
    "10.1.2.3",
    "0.0.0.0/0",
    "::/0",
    "::1",
    "1::",
    "1:2:3:4:5:6:7:8/128",
    "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8",
    "1:2:3:4:5:6:1.2.3.4",
    "::ffff:1.2.3.4/128",
  ])("%s is one", (network) => expect(refusal({ selection: { "f|cidr": network } })).toBe("loads"));

  test.for([
    "",
    "10.0.0.0/",
    "10.0.0.0/8x",
    "10.0.0.0/-8",
    "10.0.0.0/8/8",
    "10.0.0.0/33",
    "10.0.0.1/8",
    "10.0.0",
    "10.0.0.0.0",
    "10.0.0.256",
    "010.0.0.0/8",
    "10.0.0.a",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "1:2:3:4::5:6:7:8",
    "1::2::3",
    "::12345",
    "::g",
    "::1.2.3.4:5",
    "::1.2.3.256",
    "1.2.3.4:5::",
    "1:2:3:4:5:6:7:1.2.3.4",
    "::/129",
    "2001:db8::1/64",
  ])("%j is none", (network) =>
    expect(refusal({ selection: { "f|cidr": network } })).toBe("RULE_VALUE_INVALID"),
  );
});

describe("the condition of a correlation", () => {
  const tumbling = { auditflow: { window: { type: "tumbling" } } };
  const codes = (type: string, condition: object, changes: object = {}) => {
    const field = type.startsWith("value_") ? { field: "n" } : {};
    return codesOf(...letters, correlationText({ type, condition: { ...field, ...condition } }, changes));
  };

  test.for([
    ["event_count", { gte: 1 }],
    ["event_count", { lte: 0 }],
    ["event_count", { neq: 1 }],
    ["value_count", { gte: 1 }],
    ["value_sum", { neq: 1 }],
    ["value_sum", { gt: -1.5 }],
    ["value_sum", { gte: 1, lte: 1 }],
    ["value_avg", { gt: 1, lt: 1.5 }],
    ["value_avg", { lt: 1.5, gt: 1 }],
    ["value_avg", { gt: 1, gte: -5, lt: 1.5 }],
    ["value_avg", { gt: 10, lt: 20, neq: 15 }],
  ] as const)("%s %j can hold", ([type, condition]) => expect(codes(type, condition)).toEqual([]));

  test.for([
    ["event_count", {}],
    ["event_count", { gte: 0 }],
    ["event_count", { lt: 0 }],
    ["event_count", { gte: -1 }],
    ["event_count", { gte: 1.5 }],
    ["event_count", { gte: "3" }],
    ["event_count", { gte: true }],
    ["event_count", { gte: null }],
    ["event_count", { gte: [3] }],
    ["event_count", { gte: 5, lte: 3 }],
    ["value_count", { gte: 1.5 }],
    ["value_count", { gte: 0 }],
    ["value_count", { eq: 0 }],
    ["value_sum", {}],
    ["value_sum", { gte: "3" }],
    ["value_sum", { gt: 1, lte: 1 }],
    ["value_sum", { lt: 1, gte: 1 }],
    ["value_sum", { eq: 1, neq: 1 }],
    ["value_avg", { gt: 2, lt: 1 }],
  ] as const)("%s %j is refused", ([type, condition]) => {
    expect(codes(type, condition)).toEqual(["CORRELATION_INVALID"]);
  });

  test.for([
    ["value_sum", { field: [] }],
    ["value_sum", { field: "" }],
    ["value_sum", { field: ["n", "m"] }],
    ["value_count", { field: [] }],
    ["value_percentile", {}],
    ["value_percentile", { percentile: "50" }],
    ["value_percentile", { percentile: true }],
    ["value_percentile", { percentile: -1 }],
    ["value_percentile", { percentile: 100.1 }],
    ["value_sum", { percentile: 50 }],
  ] as const)("%s with %j is refused", ([type, changes]) => {
    expect(codes(type, { gte: 2, ...changes })).toEqual(["CORRELATION_INVALID"]);
  });

  test.for([0, 99.9, 100])("a percentile of %d is one", (percentile) => {
    expect(codes("value_percentile", { gte: 2, percentile })).toEqual([]);
  });

  test("says how many fields a type looks at", () => {
    const text = (type: string) => correlationText({ type, condition: { field: [], gte: 2 } });
    expect(() => createEngine([...letters, text("value_sum")])).toThrow("wants the name of one field.");
    expect(() => createEngine([...letters, text("value_count")])).toThrow("wants 1 to 32 names of fields.");
  });

  test.for([
    [null, []],
    [{}, []],
    ["x", ["CORRELATION_INVALID"]],
    [["x"], ["CORRELATION_INVALID"]],
    [{ x: "y" }, ["CORRELATION_INVALID"]],
    [{ x: { a: null } }, ["CORRELATION_INVALID"]],
  ] as const)("aliases %j answer %j", ([aliases, expected]) => {
    expect(codesOf(...letters, correlationText({ condition: { gte: 2 }, aliases }))).toEqual(expected);
  });

  test.for(["1s", "90m", "48h", "366d", "52w", "12M", "1y"])("a timespan of %s is one", (timespan) => {
    expect(codesOf(...letters, correlationText({ timespan, condition: { gte: 2 } }))).toEqual([]);
  });

  test.for([
    "",
    "0s",
    "10",
    "10sx",
    "x10s",
    "1.5m",
    "-1m",
    "10 s",
    "1S",
    "367d",
    "2y",
    "9999999999s",
    10,
    null,
    [],
    {},
  ])("a timespan of %j is none", (timespan) => {
    expect(codesOf(...letters, correlationText({ timespan, condition: { gte: 2 } }))).toEqual([
      "CORRELATION_INVALID",
    ]);
  });

  test("silence has no slots; few events have", () => {
    expect(codes("event_count", { lte: 0 }, tumbling)).toEqual(["CORRELATION_INVALID"]);
    expect(codes("event_count", { lte: 2 }, tumbling)).toEqual([]);
    expect(codes("event_count", { gte: 2 }, tumbling)).toEqual([]);
  });
});

describe("the condition of a rule", () => {
  const selections = { sel_a: { a: 1 }, sel_b: { b: 1 } };

  test.for([
    ["1 of s*_*", true],
    ["1 of *s*a", true],
    ["1 of s*l*a", true],
    ["1 of *e*", true],
    ["all of *e*_*", false],
    ["1 of *_*b", false],
  ] as const)("a pattern with several stars: %s", ([condition, expected]) => {
    expect(holds({ ...selections, condition }, { a: 1 })).toBe(expected);
  });

  test.for(["1 of *x*_a", "1 of sel_*_a", "1 of s*_a*_a", "1 of *ls*", "1 of sel_a*a"])(
    "%s names nothing",
    (condition) => {
      expect(refusal({ ...selections, condition })).toBe("RULE_SELECTOR_EMPTY");
    },
  );

  test.for([
    [{}],
    [[]],
    [null],
    [["sel_a", {}]],
    ["1 of sel.*"],
    ["1 of sel_a$"],
    ["1 of"],
    ["of sel_a"],
    ["sel_a)"],
  ] as const)("%j is none", ([condition]) =>
    expect(refusal({ ...selections, condition })).toBe("RULE_CONDITION_INVALID"),
  );

  test.for(["sel.a", "sel_a$", "$sel_a", "and", "1 of sel_$", "1 of $sel_a", "(sel_a sel_b)", "sel_a not"])(
    "%s is no sentence",
    (condition) => {
      expect(refusal({ ...selections, condition })).toBe("RULE_CONDITION_INVALID");
    },
  );

  test.for(["1 of sel", "1 of el_a", "all of sel_", "1 of *el", "1 of el*", "1 of sel_a_*", "1 of *sel_ab"])(
    "%s names nothing either",
    (condition) => {
      expect(refusal({ ...selections, condition })).toBe("RULE_SELECTOR_EMPTY");
    },
  );

  test.for([
    ["sel_a AND sel_b", "Unexpected 'AND' (write 'and' in lower case)."],
    ["NOT", "Unknown identifier 'NOT' (write 'not' in lower case); there are: sel_a, sel_b."],
    ["1 OF sel_a", "(write 'of' in lower case)"],
    ["ALL of them", "(write 'all' in lower case)"],
    ["1 of THEM", "'THEM' names no identifier; there are: sel_a, sel_b."],
    ["SEL_A", "Unknown identifier 'SEL_A'; there are: sel_a, sel_b."],
    ["sel_c", "Unknown identifier 'sel_c'; there are: sel_a, sel_b."],
    ["sel_a sel_b", "Unexpected 'sel_b'."],
  ] as const)("of %s the message says: %s", ([condition, message]) => {
    const text = ruleOf({ ...selections, condition });
    expect(() => createEngine([text])).toThrow(message);
  });

  test("a message lists twenty names and no more", () => {
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`s${index}`, { f: 1 }]));
    const condition = "x";
    expect(() => createEngine([ruleOf({ ...many(20), condition })])).toThrow("s18, s19.");
    expect(() => createEngine([ruleOf({ ...many(21), condition })])).toThrow("s18, s19 ....");
    expect(() => createEngine([ruleOf({ ...many(22), condition })])).not.toThrow("s20");
  });
});
