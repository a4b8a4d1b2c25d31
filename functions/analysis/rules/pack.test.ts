import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { RuleError } from "../sigma/language/problem.ts";
import { groupByLogsource } from "../sigma/matching/matcher.ts";
import { compileRules } from "./compile.ts";
import { sha256 } from "./digest.ts";
import { openPack, stageAt } from "./pack.ts";
import { encodePack, type StageContent } from "./pack-encode.ts";

const text = `
title: Ünïcode — “quotes”, emoji 😀 and a lone \\uD800
id: first
author: Jane Doe, 김철수
license: DRL-1.1
logsource: {product: aws, service: cloudtrail}
detection: {selection: {name|contains: ['größe', '\\temp\\', '*?x']}, condition: selection}
---
title: Second
id: second
logsource: {category: process_creation}
detection: {selection: {Image|endswith: \\cmd.exe, n|gte: 5, gone: null}, condition: selection}
---
title: Many
id: many
correlation: {type: event_count, rules: [second], group-by: [user], timespan: 1m, condition: {gte: 3}}
`;
const compiled = compileRules([{ file: "a.yml", text }]);
const { ruleSet } = compiled;

function stageOf({ rules, correlations, hash } = ruleSet): StageContent {
  const problems = compiled.problems;
  return { hash, groups: groupByLogsource(rules), correlations, problems };
}
const about = { builtBy: "auditflow test", sigma: "2.1.0", cases: { passed: 1, failed: 0 }, later: [] };
const license = { file: "LICENSE", text: "Detection Rule License 1.1\n" };
const written = encodePack({ ...about, stage: stageOf(), license });
const bytes = Buffer.from(written);

/** The same text with another content behind an honest digest. */
function forged(change: (content: string) => string): Buffer {
  const end = written.indexOf(",\n") + 2;
  const content = change(written.slice(end));
  return Buffer.from(written.slice(0, end).replace(/[0-9a-f]{64}/, sha256(content)) + content);
}

describe("a pack", () => {
  test("holds the rules and correlations it was made of, with their authors and licences", () => {
    const pack = openPack(bytes);
    const { stage } = pack.manifest;
    const sections = pack.sections(stage);
    expect(sections.flatMap(({ rules }) => rules())).toEqual(JSON.parse(JSON.stringify(ruleSet.rules)));
    expect(sections.map(({ logsource, size }) => ({ logsource, size }))).toEqual([
      { logsource: { product: "aws", service: "cloudtrail" }, size: 1 },
      { logsource: { category: "process_creation" }, size: 1 },
    ]);
    expect(pack.correlations(stage)).toEqual(JSON.parse(JSON.stringify(ruleSet.correlations)));
    expect(stage.hash).toBe(ruleSet.hash);
    expect(sections[0]?.rules()[0]).toMatchObject({ author: "Jane Doe, 김철수", file: "a.yml" });
    expect(pack.problems(stage)).toEqual(compiled.problems);
  });

  test("is one JSON document of ASCII, the same bytes every time", () => {
    expect(JSON.parse(written)).toMatchObject({ manifest: { parts: expect.any(Array) } });
    expect(JSON.parse(written).parts).toContainEqual(ruleSet.correlations);
    expect(JSON.parse(written).parts).toContain(license.text);
    expect(bytes.every((byte) => byte < 0x80)).toBe(true);
    expect(encodePack({ ...about, stage: stageOf(), license })).toBe(written);
  });

  test("reads the rules of a log source only when they are asked for", () => {
    const pack = openPack(forged((content) => content.replace('process_creation"},"detection', "{{{")));
    const [cloudtrail, processes] = pack.sections(pack.manifest.stage);
    expect(cloudtrail?.rules()).toHaveLength(1);
    expect(() => processes?.rules()).toThrow(SyntaxError);
  });
});

/** What opening says about bytes that are no pack. */
function refusal(damaged: Buffer): string {
  try {
    openPack(damaged);
    return "";
  } catch (error) {
    return error instanceof RuleError ? `${error.code} ${error.message}` : String(error);
  }
}

describe("what is not the pack that was built is refused:", () => {
  test("any other byte", () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ change;
        expect(refusal(damaged)).toMatch(/^RULE_PACK_INVALID /);
      }),
      { numRuns: 500 },
    );
  });

  test("a part of it, or more than it", () => {
    for (let length = 0; length < bytes.length; length += 7) {
      expect(refusal(bytes.subarray(0, length))).toMatch(/^RULE_PACK_INVALID /);
    }
    expect(refusal(Buffer.concat([bytes, Buffer.from("\n")]))).toContain("SHA-256");
  });

  test("another version, which both names", () => {
    const other = written.replace('"version":1', '"version":7');
    expect(refusal(Buffer.from(other))).toContain("the format version 7; this program reads version 1");
  });

  test.for([
    ["nothing", ""],
    ["YAML", "title: x\n"],
    ["other JSON", "{}"],
    ["JSON of another format", '{"format":"x","version":1,\n"a":1}'],
    ["a pack that was laid out anew", JSON.stringify(JSON.parse(written), null, 2)],
  ] as const)("%s", ([, other]) => {
    expect(refusal(Buffer.from(other))).toContain("no rule pack");
  });
});

describe("filters that expire", () => {
  const quieter = compileRules([{ file: "a.yml", text: text.replace("n|gte: 5", "n|gte: 50") }]).ruleSet;
  const later = [
    { from: 2000, ...stageOf(quieter) },
    { from: 3000, ...stageOf() },
  ];
  const staged = encodePack({ ...about, stage: stageOf(), later });

  test.for([
    [undefined, ruleSet.hash, undefined],
    [0, ruleSet.hash, 2000],
    [1999, ruleSet.hash, 2000],
    [2000, quieter.hash, 3000],
    [2999, quieter.hash, 3000],
    [3000, ruleSet.hash, undefined],
    [9e15, ruleSet.hash, undefined],
  ] as const)("at %s the stage is %s, until %s", ([now, hash, nextAt]) => {
    const { stage, nextAt: next } = stageAt(openPack(Buffer.from(staged)).manifest, now);
    expect([stage.hash, next]).toEqual([hash, nextAt]);
  });

  test("cost only the sections they change", () => {
    const { manifest } = openPack(Buffer.from(staged));
    const [second, third] = manifest.later;
    expect(second?.rules[0]).toBe(manifest.stage.rules[0]);
    expect(second?.rules[1]).not.toBe(manifest.stage.rules[1]);
    expect(third?.rules).toEqual(manifest.stage.rules);
  });
});
