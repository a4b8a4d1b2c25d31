import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { QueryError } from "./error.ts";
import { bounds } from "./parse.ts";
import { queries } from "./queries.testing.ts";
import { parseQuery } from "./query.ts";

/** What is wrong with a text: what the error points at, and words of its message. */
const wrong: readonly (readonly [text: string, at: string | number, said: RegExp])[] = [
  [
    "actr:root",
    "actr",
    /unknown key "actr" at character 1: expected one of severity, .*Did you mean actor\?/,
  ],
  ["is:open sevrity:high", "sevrity", /Did you mean severity\?/],
  ["http://example", "http", /quote a text to look for it as it is/],
  ["a=b", "a", /unknown key "a"/],
  ["data:x", "data", /data\.<field>/],
  ["data.:x", "data.", /data\.<field>/],
  ["data..a:x", "data..a", /data\.<field>/],
  ["ext.a:x", "ext.a", /data\.<field>/],
  [
    "severity:hihg",
    "hihg",
    /"hihg" is no severity .*one of informational, low, medium, high, critical\. Did you mean high\?/,
  ],
  ["severity:high,", 14, /expected a value/],
  ["severity:,high", 9, /expected a value/],
  ["status:closed", "closed", /one of open, acknowledged/],
  ["disposition:false", "false", /one of true_positive/],
  ["actor:", 6, /expected a value; "" is an empty one/],
  ["actor: root", 6, /expected a value/],
  ["actor:>root", ">", /expected a value of actor, which has no order/],
  ["status:>=open", ">=", /no order/],
  ["actor:=root", "=", /without a sign before it/],
  ["count:many", "many", /whole number .*up to 15 digits/],
  ["count:-1", "-1", /whole number/],
  ["count:1.5", "1.5", /whole number/],
  ["count:1234567890123456", "1234567890123456", /up to 15 digits/],
  ["count:>", 7, /a value after >/],
  ["count:~1", "~", /no regular expression/],
  ["severity=~high", "~", /no regular expression/],
  ["has=~actor", "~", /no regular expression/],
  ["seen:15m", "15m", /one of > >= < <= before it/],
  ["seen:<15", "15", /a duration such as 15m/],
  ["seen:<15y", "15y", /a duration such as 15m/],
  ["seen:<2026-02-30", "2026-02-30", /a date and time such as/],
  ["seen:<101w999999999d", "101w999999999d", /up to 100 years/],
  ["is:opn", "opn", /Did you mean open\?/],
  ["is:", 3, /expected a value/],
  ["has:count", "count", /what an alert may be without/],
  ["has:actr", "actr", /Did you mean actor\?/],
  ["id:9b0c", "9b0c", /a UUID, or a part of one and \*/],
  ["data.n:>x", "x", /a number such as/],
  ["rule:~(a", "(", /a closing parenthesis for this one/],
  ["rule:~[a", "[", /a closing bracket/],
  ["rule:~a**", 8, /no second repetition/],
  ['rule:~"a\\"(b"', "(", /closing parenthesis/],
  ["rule:~(?=a)", "(?=", /no lookaround/],
  ["rule:~(a)\\1", "\\1", /references/],
  ["rule:~\\bfoo\\b", "\\b", /\\b are not known/],
  ["rule:~(a{200}){200}", "(a{200}){200}", /fewer or shorter repetitions/],
  ["rule:~a{300}", "{300}", /bounds from 0 to 255/],
  ["rule:~", 6, /a regular expression/],
  ['rule:~""', 8, /a regular expression/],
  ['rule:~"a"b', "b", /a blank behind the quoted expression/],
  ["(is:open", "(", /a closing parenthesis for it/],
  ["is:open)", ")", /one that was opened before it/],
  ["()", "()", /a term in it/],
  ["a ()", "()", /a term in it/],
  ["OR a", "OR", /a term on both sides/],
  ["a OR", "OR", /a term on both sides/],
  ["a OR OR b", 5, /a term on both sides/],
  ["(a OR)", "OR", /a term on both sides/],
  ["a AND b", "AND", /nothing between terms/],
  ["a && b", "&&", /nothing between terms/],
  ["a || b", "||", /OR between terms/],
  ["NOT a", "NOT", /a minus before the term/],
  ["!actor:x", "!", /a minus to say not.*Did you mean -actor:x\?/],
  ["-", "-", /a term directly behind it/],
  ["- a", "-", /a term directly behind it/],
  ["--a", "-", /a term directly behind it/],
  ["a(b)", "(", /a blank before the next term/],
  ["(a)b", "b", /a blank before the next term/],
  ['"abc', '"abc', /a closing quote/],
  ['actor:"abc', '"abc', /a closing quote/],
  ['""', '""', /something to look for/],
  ["a\0b", "\0", /no U\+0000/],
  ["a \ud800", "\ud800", /half of a surrogate pair/],
  ["x".repeat(2001), 2000, /at most 2000 characters/],
  ["a ".repeat(41), 80, /at most 40 terms/],
  ["rule:~a ".repeat(11), 86, /at most 10 in a query/],
  [`rule:~${"[^a]*".repeat(41)}`, "[^a]*".repeat(41), /at most 40 parts/],
  ["rule:~(a?){41}", 6, /at most 40 parts/],
  [`rule:~${"[^a]{0,22}".repeat(20)}`, 6, /fewer or shorter/],
  [`rule:~(${"(|a)".repeat(41)})`, 6, /at most 40 parts/],
  [`${"(".repeat(11)}a${")".repeat(11)}`, 10, /at most 10 groups/],
  [`actor:${"a,".repeat(50)}b`, 106, /at most 50 values/],
];

function problemOf(text: string): QueryError | undefined {
  try {
    parseQuery(text);
    return undefined;
  } catch (error) {
    if (error instanceof QueryError) return error;
    throw new Error(`${JSON.stringify(text)} was answered with another error`, { cause: error });
  }
}

function expectPositioned(text: string, { position, length, expected, message }: QueryError): void {
  expect(position).toBeGreaterThanOrEqual(0);
  expect(length).toBeGreaterThanOrEqual(0);
  expect(position + length).toBeLessThanOrEqual(text.length);
  expect(expected).not.toBe("");
  expect(message).toContain(expected);
  expect(message).toContain(`at character ${position + 1}`);
}

describe("a malformed query", () => {
  test.for(wrong)("%s", ([text, at, said]) => {
    const problem = problemOf(text);
    expect(problem?.message).toMatch(said);
    if (!problem) return;
    expectPositioned(text, problem);
    const pointed = text.slice(problem.position, problem.position + problem.length);
    expect(typeof at === "string" ? pointed : problem.position).toBe(at);
  });

  test("a thousand of them each give an error that tells where, and nothing else is thrown", () => {
    const malformed = new Map<string, QueryError>();
    const edits = fc.array(
      fc.tuple(
        fc.nat(2000),
        fc.constantFrom(0, 0, 1, 2),
        fc.constantFrom("", ...Array.from('()"-,:*~<>=!\\ \0'), "OR", "[", "{9", "data.", "\udc00"),
      ),
      { minLength: 1, maxLength: 3 },
    );
    let tried = 0;
    fc.assert(
      fc.property(queries, edits, (valid, changes) => {
        expect(problemOf(valid)).toBeUndefined();
        let text = valid;
        for (const [place, removed, added] of changes) {
          const at = place % (text.length + 1);
          text = text.slice(0, at) + added + text.slice(at + removed);
        }
        tried += 1;
        const problem = problemOf(text);
        if (!problem) return;
        expectPositioned(text, problem);
        malformed.set(text, problem);
      }),
      { numRuns: 2500 },
    );
    expect(tried).toBeGreaterThan(2000);
    expect(malformed.size).toBeGreaterThanOrEqual(1000);
    // Many ways to be wrong, not one a thousand times.
    expect(new Set([...malformed.values()].map(({ expected }) => expected)).size).toBeGreaterThan(15);
  }, 60_000);

  test("any text at all is read or refused", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 30 }), (text) => {
        const problem = problemOf(text);
        if (problem) expectPositioned(text, problem);
        expect(problem?.message).not.toBe("");
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});

describe("a query at its bounds", () => {
  test.for([
    "x".repeat(bounds.characters),
    "a ".repeat(bounds.terms),
    `${"(".repeat(bounds.depth)}a${")".repeat(bounds.depth)}`,
    `actor:${"a,".repeat(49)}b`,
    `data${".f".repeat(10)}:x`,
  ])("is read: %#", (text) => {
    expect(problemOf(text)).toBeUndefined();
  });
});

test("the examples of the documentation are queries", () => {
  const text = readFileSync(new URL("../../../docs/query-language.md", import.meta.url), "utf8");
  const examples = text.split("```")[1]?.trim().split("\n") ?? [];
  expect(examples.length).toBeGreaterThan(3);
  for (const example of examples) expect([example, problemOf(example)]).toEqual([example, undefined]);
});
