import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import type { EventLogsource } from "../sigma/language/logsource.ts";
import { readSource } from "./source.ts";
import { compileRules } from "./compile.ts";

/**
 * A pack as the program wrote it that introduced its format, with every kind of test and condition. A pack
 * outlives the program that built it: one whose version is read must mean what it meant. When this fails
 * because a rule is other data than it was, `packVersion` has to be raised and the pack to be built anew:
 * `auditflow rules build functions/analysis/rules/golden --out functions/analysis/rules/golden/pack-v1.golden`.
 */
const folder = join(import.meta.dirname, "golden");
const pack = await (await readSource(join(folder, "pack-v1.golden"))).load(undefined);

const base64 = (text: string) => Buffer.from(text, "utf16le").toString("base64");
const golden: EventLogsource = { product: "golden" };

describe("a pack of an earlier program still means", () => {
  test.for([
    ["texts", { a: "ALPHA*", b: "xbe12tazy", c: "GAMxxMA" }, golden],
    ["cased", { a: "Exact" }, golden],
    ["regex", { a: "q\nX\nY\nz" }, golden],
    ["cidr", { ip: "10.1.2.3" }, golden],
    ["cidr", { ip: "2001:db8::7" }, golden],
    ["numbers", { n: "7" }, golden],
    ["times", { at: "2026-11-21T23:10:00Z" }, golden],
    ["fieldref", { a: "Beta gamma", b: "beta" }, golden],
    ["variants", { a: "cmd /x \u2013y", b: base64("a key.") }, golden],
    ["absence", { a: null, c: "y" }, golden],
    ["words", { m: "the ONE", n: ["tw--o"] }, { product: "golden", service: "words", custom: "key" }],
    ["counted", { b: 2 }, { product: "golden", category: ["other", "counted"] }],
  ] as const)("%s: %o", ([id, fields, logsource]) => {
    expect(pack.ruleSet.match(fields, logsource).map((rule) => rule.id)).toEqual([id]);
  });

  test.for([
    { a: "alpha\\*", b: "xbe12tazy", c: "GAMxxMA" },
    { a: "exact" },
    { ip: "11.0.0.1" },
    { n: 9 },
    { a: "cmd /x", b: base64("a key.") },
    { c: "y", d: "other" },
  ])("nothing: %o", (fields) => {
    expect(pack.ruleSet.match(fields, golden)).toEqual([]);
  });

  test("the same rules and correlations as its source, under the same hash", async () => {
    const text = await readFile(join(folder, "pack-v1.yml"), "utf8");
    const { ruleSet } = compileRules([{ file: "pack-v1.yml", text }]);
    expect(pack.ruleSet.hash).toBe(ruleSet.hash);
    expect(pack.ruleSet.correlations).toEqual(JSON.parse(JSON.stringify(ruleSet.correlations)));
  });
});
