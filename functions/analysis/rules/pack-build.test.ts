import { describe, expect, test } from "vitest";

import { filterOf, openFolder, ruleOf } from "./folder.testing.ts";
import { openPack, stageAt } from "./pack.ts";
import { buildPack } from "./pack-build.ts";
import { readSource } from "./source.ts";

const build = (path: string) => buildPack(path, "auditflow test");
const named = (id: string, value: string) => ruleOf(id, value).replace("\n", `\nid: ${id}\n`);

describe("a folder that is built into a pack", () => {
  test("is the same rule set, at every time at which an exception expires", async () => {
    await using folder = await openFolder({
      "a.yml": named("a", "1"),
      "b.yml": named("b", "1"),
      "sub/filters.yml": `${filterOf("a", "2027-03-01")}---\n${filterOf("b", "2028-03-01T12:00:00Z")}`,
    });
    const { text = "" } = await build(folder.path);
    await using packed = await openFolder({ "x.pack.json": text });
    const pack = await readSource(packed.path);
    const yaml = await readSource(folder.path);
    const matches = [];
    for (const time of [undefined, "2027-02-28", "2027-03-01", "2028-03-01", "2028-03-01T12:00:00Z"]) {
      const now = time === undefined ? undefined : Date.parse(time);
      const fromPack = await pack.load(now);
      const fromYaml = await yaml.load(now);
      expect(fromPack.ruleSet.hash).toBe(fromYaml.ruleSet.hash);
      expect(fromPack.ruleSet.size).toBe(fromYaml.ruleSet.size);
      expect(JSON.stringify(fromPack.ruleSet.rules)).toBe(JSON.stringify(fromYaml.ruleSet.rules));
      expect(fromPack.problems).toEqual(fromYaml.problems);
      if (now !== undefined) expect(fromPack.expiresAt).toBe(fromYaml.expiresAt);
      const matched = fromPack.ruleSet.match({ a: "1", b: "known" }, { category: "test" });
      matches.push(matched.map(({ id }) => id));
    }
    expect(matches).toEqual([[], [], ["a"], ["a"], ["a", "b"]]);
  });

  test("gives the same bytes every time", async () => {
    const files = { "b.yml": named("b", "1"), "a.yml": named("a", "1"), "c/c.yml": named("c", "2") };
    await using one = await openFolder(files);
    await using other = await openFolder(Object.fromEntries(Object.entries(files).toReversed()));
    expect((await build(other.path)).text).toBe((await build(one.path)).text);
  });

  test("takes the licence along, and the author and licence of each rule", async () => {
    await using folder = await openFolder({
      "a.yml": `${named("a", "1")}author: Jane Doe\nlicense: DRL-1.1\n`,
      LICENSE: "Detection Rule License 1.1\n",
    });
    const { text = "" } = await build(folder.path);
    const pack = openPack(Buffer.from(text));
    const [section] = pack.sections(stageAt(pack.manifest, undefined).stage);
    expect(section?.rules()).toMatchObject([{ author: "Jane Doe", license: "DRL-1.1" }]);
    expect(pack.manifest.parts.at(-1)).toMatchObject({ kind: "license", file: "LICENSE" });
    expect(text).toContain("Detection Rule License 1.1");
  });

  test("leaves out and names what has errors and what fails its cases", async () => {
    await using folder = await openFolder({
      "good.yml": named("good", "1"),
      "wrong.yml": named("wrong", "1").replace("a:", "a|regex:"),
      "failing.yml": named("failing", "1"),
      "failing.cases.yml":
        "- {case: it is seen, events: [{at: 0s, event_type: x}], expect: [{rule: failing}]}",
    });
    const { ruleSet, problems, cases, text } = await build(folder.path);
    expect(ruleSet.rules.map(({ id }) => id)).toEqual(["good"]);
    expect(problems.map(({ code, file }) => [code, file])).toEqual([
      ["RULE_MODIFIER_UNKNOWN", "wrong.yml"],
      ["RULE_CASES_FAILED", "failing.cases.yml"],
    ]);
    expect(cases).toEqual({ passed: 0, failed: 1 });
    expect(text).not.toContain('"id":"failing"');
  });

  test("without a rule is no pack", async () => {
    await using folder = await openFolder();
    expect((await build(folder.path)).text).toBeUndefined();
  });
});
