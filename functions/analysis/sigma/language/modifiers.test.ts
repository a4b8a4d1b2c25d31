import { describe, expect, test } from "vitest";

import { compile, parsed, patternsOf, refusal, rule, testsOf } from "../compiling.testing.ts";

describe("modifiers are applied in written order", () => {
  test.for([
    ["contains", "{'f|contains': x}", ["*x*"]],
    ["startswith", "{'f|startswith': x}", ["x*"]],
    ["endswith", "{'f|endswith': x}", ["*x"]],
    ["contains of a value with wildcards at its ends", "{'f|contains': '*x*'}", ["*x*"]],
    ["a list", "{'f|endswith': [x, y]}", ["*x", "*y"]],
    ["base64", "{'f|base64': foo}", ["Zm9v"]],
    ["base64|contains", "{'f|base64|contains': foo}", ["*Zm9v*"]],
    ["base64 of an escaped wildcard", "{'f|base64': '\\*'}", ["Kg=="]],
    ["base64 of bytes, not characters", "{'f|base64': 'é'}", ["w6k="]],
    ["base64offset", "{'f|base64offset|contains': foo}", ["*Zm9v*", "*Zvb*", "*mb2*"]],
    ["wide|base64", "{'f|wide|base64': foo}", ["ZgBvAG8A"]],
    ["utf16le is wide", "{'f|utf16le|base64': foo}", ["ZgBvAG8A"]],
    ["utf16be", "{'f|utf16be|base64': foo}", ["AGYAbwBv"]],
    ["utf16 begins with FF FE", "{'f|utf16|base64': c}", ["//5jAA=="]],
    [
      "wide|base64offset|contains",
      "{'f|wide|base64offset|contains': foo}",
      ["*ZgBvAG8A*", "*YAbwBvA*", "*mAG8Abw*"],
    ],
    ["windash", "{'f|windash': ' -x'}", [" -x", " /x", " –x", " —x", " ―x"]],
    ["windash written with a slash", "{'f|windash': '/x'}", ["-x", "/x", "–x", "—x", "―x"]],
    ["windash within a word", "{'f|windash': a-b}", ["a-b"]],
    ["windash before a blank", "{'f|windash': '- x'}", ["- x"]],
    ["windash after a wildcard", "{'f|windash': '*-x'}", ["*-x", "*/x", "*–x", "*—x", "*―x"]],
    ["windash before a letter that is not ASCII", "{'f|windash': '-é'}", ["-é", "/é", "–é", "—é", "―é"]],
    ["windash|contains", "{'f|windash|contains': -x}", ["*-x*", "*/x*", "*–x*", "*—x*", "*―x*"]],
    ["contains|windash", "{'f|contains|windash': -x}", ["*-x*", "*/x*", "*–x*", "*—x*", "*―x*"]],
    ["expand without a placeholder", "{'f|expand': '100%'}", ["100%"]],
    ["expand with an escaped placeholder", "{'f|expand': '\\%x%'}", ["\\%x%"]],
    ["a placeholder without expand is a text", "{f: '%x%'}", ["%x%"]],
  ] as const)("%s", ([, selection, patterns]) => {
    expect(patternsOf(selection)).toEqual(patterns);
  });

  test("windash writes every dash in five ways", () => {
    expect(new Set(patternsOf("{'f|windash': '-a -b'}")).size).toBe(25);
  });

  test("windash|contains|all asks for every value, in any of its writings", () => {
    const { linkage, tests } = parsed("{'f|windash|contains|all': [-a, b]}") as Record<string, unknown>;
    expect(linkage).toBe("all");
    expect(tests).toMatchObject([{ kind: "any", of: { length: 5 } }, { kind: "pattern" }]);
  });

  test("base64offset|contains|all asks for every value, at any offset", () => {
    expect(testsOf("{'f|base64offset|contains|all': [foo, bar]}")).toMatchObject([
      { kind: "any", of: { length: 3 } },
      { kind: "any", of: { length: 3 } },
    ]);
  });
});

describe("what a value is", () => {
  test.for([
    ["cased", "{'f|cased': Ab}", [{ kind: "pattern", cased: true }]],
    ["contains|cased", "{'f|contains|cased': Ab}", [{ kind: "pattern", cased: true }]],
    [
      "re takes the value as it stands",
      String.raw`{'f|re': '\\d+\*'}`,
      [{ source: String.raw`\\d+\*`, flags: "" }],
    ],
    ["re|i", "{'f|re|i': x}", [{ kind: "regex", source: "x", flags: "i" }]],
    ["re|i|m|s", "{'f|re|s|m|i': x}", [{ flags: "ims" }]],
    ["re|ignorecase|multiline|dotall", "{'f|re|ignorecase|multiline|dotall': x}", [{ flags: "ims" }]],
    ["(?i) at the beginning", "{'f|re': '(?i)x'}", [{ source: "x", flags: "i" }]],
    ["(?ims) with re|i", "{'f|re|i': '(?sm)x'}", [{ source: "x", flags: "ims" }]],
    ["re|startswith", "{'f|re|startswith': 'a|b'}", [{ source: "(?-m:^)(?:a|b)" }]],
    ["re|endswith", "{'f|re|endswith': 'a|b'}", [{ source: "(?:a|b)(?-m:$)" }]],
    ["re|contains", "{'f|re|contains': 'a|b'}", [{ source: "a|b" }]],
    ["cidr", "{'f|cidr': 10.0.0.0/8}", [{ kind: "cidr", bytes: [10, 0, 0, 0], prefix: 8 }]],
    ["lt", "{'f|lt': 5}", [{ kind: "compare", operator: "lt", operand: 5 }]],
    ["gte of a fraction", "{'f|gte': -1.5}", [{ operator: "gte", operand: -1.5 }]],
    ["gt of a number in quotes", "{'f|gt': '1e3'}", [{ operator: "gt", operand: 1000 }]],
    ["hour", "{'f|hour': 22}", [{ kind: "time", part: "hour", operator: "eq", operand: 22 }]],
    ["week|lte", "{'f|week|lte': 53}", [{ part: "week", operator: "lte", operand: 53 }]],
    ["a bound beside the range", "{'f|hour|lt': 24}", [{ operator: "lt", operand: 24 }]],
    ["fieldref", "{'f|fieldref': g}", [{ kind: "fieldref", field: "g", shape: "equals", cased: false }]],
    ["fieldref|endswith|cased", "{'f|fieldref|endswith|cased': g}", [{ shape: "endswith", cased: true }]],
    [
      "a number as the rule writes it, too",
      "{f: 1.10}",
      [{ pattern: [{ literal: "1.1" }] }, { pattern: [{ literal: "1.10" }] }],
    ],
    [
      "a number with a modifier as the rule writes it",
      "{'f|contains': 1.10}",
      [{ pattern: ["many", { literal: "1.10" }, "many"] }],
    ],
  ] as const)("%s", ([, selection, tests]) => {
    expect(testsOf(selection)).toMatchObject(tests);
  });

  test.for(["minute", "hour", "day", "week", "month", "year"])("%s alone is equality", (part) => {
    expect(testsOf(`{'f|${part}': 7}`)).toMatchObject([{ kind: "time", part, operator: "eq", operand: 7 }]);
  });

  test.for([
    ["neq", "{'f|neq': x}", { kind: "not", of: { kind: "field", linkage: "any" } }],
    [
      "neq of a list negates the whole item",
      "{'f|neq': [x, y]}",
      { kind: "not", of: { tests: { length: 2 } } },
    ],
    ["contains|neq", "{'f|contains|neq': x}", { kind: "not" }],
    ["neq|all", "{'f|neq|all': [x, y]}", { kind: "not", of: { linkage: "all" } }],
    ["neq null", "{'f|neq': null}", { kind: "not", of: { kind: "null", field: "f" } }],
    ["fieldref|neq", "{'f|fieldref|neq': g}", { kind: "not", of: { tests: [{ kind: "fieldref" }] } }],
    ["exists", "{'f|exists': false}", { kind: "exists", field: "f", expected: false }],
    ["null", "{f: null}", { kind: "null", field: "f" }],
    ["an empty list is null", "{f: []}", { kind: "null", field: "f" }],
    ["an empty text is a text", "{f: ''}", { kind: "field", tests: [{ pattern: [] }] }],
  ] as const)("%s", ([, selection, expected]) => {
    expect(parsed(selection)).toMatchObject(expected);
  });
});

describe("modifiers that do not go together are refused", () => {
  test.for([
    ["an unknown one", "{'f|contians': x}", "RULE_MODIFIER_UNKNOWN"],
    ["one in upper case", "{'f|Contains': x}", "RULE_MODIFIER_UNKNOWN"],
    ["an empty one", "{'f|': x}", "RULE_MODIFIER_UNKNOWN"],
    ["one given twice", "{'f|all|all': x}", "RULE_MODIFIER_INVALID"],
    ["an alias and what it stands for", "{'f|re|i|ignorecase': x}", "RULE_MODIFIER_INVALID"],
    ["two shapes", "{'f|startswith|endswith': x}", "RULE_MODIFIER_INVALID"],
    ["re behind another", "{'f|contains|re': x}", "RULE_MODIFIER_INVALID"],
    ["re behind all", "{'f|all|re': x}", "RULE_MODIFIER_INVALID"],
    ["re|cased", "{'f|re|cased': x}", "RULE_MODIFIER_INVALID"],
    ["a flag without re", "{'f|i': x}", "RULE_MODIFIER_INVALID"],
    ["a flag with contains", "{'f|contains|i': x}", "RULE_MODIFIER_INVALID"],
    ["cidr behind another", "{'f|contains|cidr': 10.0.0.0/8}", "RULE_MODIFIER_INVALID"],
    ["cidr|contains", "{'f|cidr|contains': 10.0.0.0/8}", "RULE_MODIFIER_INVALID"],
    ["exists with another", "{'f|exists|neq': true}", "RULE_MODIFIER_INVALID"],
    ["lt|contains", "{'f|lt|contains': 1}", "RULE_MODIFIER_INVALID"],
    ["lt|gt", "{'f|lt|gt': 1}", "RULE_MODIFIER_INVALID"],
    ["lt|hour", "{'f|lt|hour': 1}", "RULE_MODIFIER_INVALID"],
    ["hour with two comparisons", "{'f|hour|gt|lt': 1}", "RULE_MODIFIER_INVALID"],
    ["hour|minute", "{'f|hour|minute': 1}", "RULE_MODIFIER_INVALID"],
    ["contains|fieldref", "{'f|contains|fieldref': g}", "RULE_MODIFIER_INVALID"],
    ["fieldref|re", "{'f|fieldref|re': g}", "RULE_MODIFIER_INVALID"],
    ["wide alone", "{'f|wide': x}", "RULE_MODIFIER_INVALID"],
    ["wide|contains", "{'f|wide|contains': x}", "RULE_MODIFIER_INVALID"],
    ["base64|wide", "{'f|base64|wide': x}", "RULE_MODIFIER_INVALID"],
    ["contains|base64", "{'f|contains|base64': x}", "RULE_MODIFIER_INVALID"],
    ["contains|wide|base64", "{'f|contains|wide|base64': x}", "RULE_MODIFIER_INVALID"],
    ["keywords that exist", "{'|exists': true}", "RULE_MODIFIER_INVALID"],
    ["keywords that are compared", "{'|gt': 1}", "RULE_MODIFIER_INVALID"],
    ["keywords that are networks", "{'|cidr': 10.0.0.0/8}", "RULE_MODIFIER_INVALID"],
  ] as const)("%s", ([, selection, code]) => {
    expect(refusal(selection)).toEqual([code, 4, 7]);
  });

  test("the message names the item, the modifier and what is allowed", () => {
    const { problems } = compile(rule("  s: {'f|lt|contains': 1}\n  condition: s"));
    expect(problems[0]?.message).toBe(
      "'contains' cannot follow 'lt'; only all, neq can (in 'f|lt|contains').",
    );
  });
});

describe("values a modifier cannot have are refused at their place", () => {
  test.for([
    ["null in a list", "{f: [x, null]}", "RULE_VALUE_INVALID", 14],
    ["two nulls", "{f: [null, null]}", "RULE_VALUE_INVALID", 7],
    ["contains null", "{'f|contains': null}", "RULE_VALUE_INVALID", 7],
    ["cased null", "{'f|cased': null}", "RULE_VALUE_INVALID", 7],
    ["an empty list with contains", "{'f|contains': []}", "RULE_VALUE_INVALID", 7],
    ["a number for exists", "{'f|exists': 1}", "RULE_VALUE_INVALID", 7],
    ["two answers for exists", "{'f|exists': [true, false]}", "RULE_VALUE_INVALID", 7],
    ["gt of a text", "{'f|gt': x}", "RULE_VALUE_INVALID", 15],
    ["gt of a truth value", "{'f|gt': true}", "RULE_VALUE_INVALID", 15],
    ["gt of an empty text", "{'f|gt': ''}", "RULE_VALUE_INVALID", 15],
    ["gt of infinity", "{'f|gt': .inf}", "RULE_VALUE_INVALID", 15],
    ["gt of a number beyond 2^53", "{'f|gt': 9007199254740993}", "RULE_VALUE_INVALID", 15],
    ["gt of a hexadecimal text", "{'f|gt': '0x10'}", "RULE_VALUE_INVALID", 15],
    ["hour 24", "{'f|hour': 24}", "RULE_VALUE_INVALID", 17],
    ["hour|lt 25", "{'f|hour|lt': 25}", "RULE_VALUE_INVALID", 20],
    ["half an hour", "{'f|hour|lt': 7.5}", "RULE_VALUE_INVALID", 20],
    ["month 0", "{'f|month': 0}", "RULE_VALUE_INVALID", 18],
    ["minute of a text", "{'f|minute': now}", "RULE_VALUE_INVALID", 19],
    ["a fieldref to nothing", "{'f|fieldref': ''}", "RULE_VALUE_INVALID", 21],
    ["base64 of a wildcard", "{'f|base64': 'a*'}", "RULE_VALUE_INVALID", 19],
    ["wide of a wildcard", "{'f|wide|base64': 'a?'}", "RULE_VALUE_INVALID", 24],
    ["base64offset of one byte", "{'f|base64offset|contains': a}", "RULE_VALUE_INVALID", 34],
    ["a placeholder", "{'f|expand': '%admins%'}", "RULE_PLACEHOLDER_UNKNOWN", 19],
    [
      "a placeholder in a regular expression",
      "{'f|re|expand': '^%admins%$'}",
      "RULE_PLACEHOLDER_UNKNOWN",
      22,
    ],
    ["a map", "{f: {g: 1}}", "RULE_VALUE_INVALID", 10],
    ["a list in a list", "{f: [[x]]}", "RULE_VALUE_INVALID", 11],
    ["a null keyword", "[x, null]", "RULE_VALUE_INVALID", 10],
    ["no keyword", "{'|all': []}", "RULE_VALUE_INVALID", 7],
  ] as const)("%s", ([, selection, code, column]) => {
    expect(refusal(selection)).toEqual([code, 4, column]);
  });
});
