import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";

import { holds, refusal } from "./engine.testing.ts";

function expectEach(rows: readonly (readonly [string, object, unknown, boolean])[]): void {
  test.for(rows)("%s", ([, selection, value, expected]) => {
    expect(holds({ selection }, { f: value })).toBe(expected);
  });
}

describe("cidr", () => {
  expectEach([
    ["an address inside", { "f|cidr": "10.0.0.0/8" }, "10.255.0.1", true],
    ["an address outside", { "f|cidr": "10.0.0.0/8" }, "11.0.0.1", false],
    ["any of a list", { "f|cidr": ["10.0.0.0/8", "192.168.0.0/16"] }, "192.168.7.7", true],
    ["one address", { "f|cidr": "10.1.2.3/32" }, "10.1.2.3", true],
    ["everything", { "f|cidr": "0.0.0.0/0" }, "1.2.3.4", true],
    ["version 6", { "f|cidr": "2001:db8::/32" }, "2001:0DB8:0:0::1", true],
    ["version 6 outside", { "f|cidr": "2001:db8::/32" }, "2001:db9::1", false],
    ["a text that only looks alike", { "f|cidr": "10.0.0.0/8" }, "10.0.0.1.example", false],
    ["something that is no text", { "f|cidr": "10.0.0.0/8" }, { a: 1 }, false],
  ]);
  test.for(["10.0.0.1/8", "10.0.0.0/33", "10.0.0/8", "x", "2001:db8::1/32"])("%s is refused", (network) => {
    expect(refusal({ selection: { "f|cidr": network } })).not.toBe("loads");
  });
});

describe("base64", () => {
  const encoded = (text: string, encoding: BufferEncoding = "utf8") =>
    Buffer.from(text, encoding).toString("base64");
  expectEach([
    ["the encoded text", { "f|base64": "foobar" }, encoded("foobar"), true],
    ["the encoded text inside another", { "f|base64|contains": "foo" }, `x${encoded("foo")}x`, true],
    ["beyond ASCII in bytes", { "f|base64": "ärger" }, encoded("ärger"), true],
    ["wide", { "f|wide|base64": "foo" }, encoded("foo", "utf16le"), true],
    ["utf16le", { "f|utf16le|base64": "foo" }, encoded("foo", "utf16le"), true],
    [
      "utf16be",
      { "f|utf16be|base64": "foo" },
      Buffer.from([0, 102, 0, 111, 0, 111]).toString("base64"),
      true,
    ],
    [
      "utf16 with its mark",
      { "f|utf16|base64": "foo" },
      Buffer.from([0xff, 0xfe, 102, 0, 111, 0, 111, 0]).toString("base64"),
      true,
    ],
  ]);

  const texts = ["foo", "fooo", "foooo", "http://evil.example/", "ärger", "–"];
  const offsets = texts.flatMap((text) => [0, 1, 2, 3].map((offset) => [text, offset] as const));
  test.for(offsets)("base64offset finds %j behind %d bytes", ([text, offset]) => {
    const whole = encoded(`${"x".repeat(offset)}${text}yz`);
    expect(holds({ selection: { "f|base64offset|contains": text } }, { f: whole })).toBe(true);
    expect(holds({ selection: { "f|base64offset|contains": text } }, { f: encoded("something else") })).toBe(
      false,
    );
  });
  test.for(offsets)("wide|base64offset finds %j behind %d characters", ([text, offset]) => {
    const whole = encoded(`${"x".repeat(offset)}${text}y`, "utf16le");
    expect(holds({ selection: { "f|wide|base64offset|contains": text } }, { f: whole })).toBe(true);
  });

  test("all does not ask for every offset of one value", () => {
    const selection = { "f|base64offset|contains|all": ["foo", "bar"] };
    expect(holds({ selection }, { f: encoded("xfoo bar") })).toBe(true);
    expect(holds({ selection }, { f: encoded("xfoo") })).toBe(false);
  });

  test("wide without base64 is refused", () => {
    expect(refusal({ selection: { "f|wide|contains": "foo" } })).toBe("RULE_MODIFIER_INVALID");
  });
});

describe("windash", () => {
  const marks = ["-", "/", "\u2013", "\u2014", "\u2015"];
  test.for(marks.flatMap((written) => marks.slice(0, 5).map((found) => [written, found] as const)))(
    "%s in the rule, %s in the event",
    ([written, found]) => {
      const isWritten = written === "-" || written === "/";
      const selection = { "f|windash|contains": ` ${written}enc` };
      expect(holds({ selection }, { f: `powershell ${found}enc x` })).toBe(isWritten || written === found);
    },
  );
  expectEach([
    ["every dash by itself", { "f|windash|contains|all": ["-a", "-b"] }, "x /a \u2013b", true],
    ["several dashes in one value", { "f|windash|contains": "-a -b" }, "x /a \u2014b", true],
    ["a dash inside a word stays", { "f|windash|contains": "a-b" }, "x a/b", false],
    ["all does not ask for every spelling", { "f|windash|contains|all": ["-a"] }, "x -a", true],
  ]);
  test("too many spellings are refused", () => {
    expect(refusal({ selection: { "f|windash": Array.from({ length: 9 }, () => "-a").join(" ") } })).toBe(
      "RULE_LIMIT_EXCEEDED",
    );
  });
});

describe("fieldref", () => {
  test.for([
    ["the same value", { "f|fieldref": "g" }, { f: "Abc", g: "aBC" }, true],
    ["another value", { "f|fieldref": "g" }, { f: "a", g: "b" }, false],
    ["a wildcard in the other is no wildcard", { "f|fieldref": "g" }, { f: "abc", g: "a*" }, false],
    ["numbers and texts", { "f|fieldref": "g" }, { f: 5, g: "5" }, true],
    ["an absent other", { "f|fieldref": "g" }, { f: "a" }, false],
    ["both absent", { "f|fieldref": "g" }, {}, false],
    ["any of the other's values", { "f|fieldref": "g" }, { f: "a", g: ["b", "a"] }, true],
    ["at the start", { "f|fieldref|startswith": "g" }, { f: "abc", g: "ab" }, true],
    ["at the end", { "f|fieldref|endswith": "g" }, { f: "abc", g: "bc" }, true],
    ["inside", { "f|fieldref|contains": "g" }, { f: "abc", g: "b" }, true],
    ["not the same", { "f|fieldref|neq": "g" }, { f: "a", g: "b" }, true],
    ["not not the same", { "f|fieldref|neq": "g" }, { f: "a", g: "a" }, false],
  ] as const)("%s", ([, selection, event, expected]) => expect(holds({ selection }, event)).toBe(expected));
});

describe("parts of a time", () => {
  const moment = "2024-12-30T23:05:09+01:00";
  test.for([
    ["minute", 5, 6],
    ["hour", 22, 23],
    ["day", 30, 31],
    ["week", 1, 53],
    ["month", 12, 1],
    ["year", 2024, 2025],
  ] as const)("%s, in UTC and ISO weeks", ([part, value, other]) => {
    expect(holds({ selection: { [`f|${part}`]: value } }, { f: moment })).toBe(true);
    expect(holds({ selection: { [`f|${part}`]: other } }, { f: moment })).toBe(false);
    expect(holds({ selection: { [`f|${part}`]: value } }, { f: "no time" })).toBe(false);
  });
  test("compared", () => {
    expect(holds({ selection: { "f|hour|gte": 22 } }, { f: moment })).toBe(true);
    expect(holds({ selection: { "f|hour|lt": 22 } }, { f: moment })).toBe(false);
  });
});

test.for([
  ["expand", { "f|expand": "%admins%" }, "RULE_PLACEHOLDER_UNKNOWN"],
  ["an unknown modifier", { "f|sounds_like": "x" }, "RULE_MODIFIER_UNKNOWN"],
  ["re after another", { "f|contains|re": "x" }, "RULE_MODIFIER_INVALID"],
] as const)("%s is refused", ([, selection, code]) => expect(refusal({ selection })).toBe(code));
