import { symlink, unlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";

import { openFolder, ruleOf } from "./folder.testing.ts";
import type { Rules } from "./loader.ts";
import { matched, openTestRules as open, publish, until } from "./loader.testing.ts";

// A busy machine may take its time.
vi.setConfig({ testTimeout: 60_000 });

const titles = (rules: Rules) => rules.current().rules.map(({ title }) => title);

describe("a folder of rules", () => {
  test("is read with everything below it, leaving out cases, dotted names and other files", async () => {
    await using folder = await openFolder({
      "b.yml": ruleOf("b", "1"),
      "sub/deep/a.yaml": ruleOf("a", "1"),
      "b.cases.yml": "- {case: it is read, events: [{at: 0s, event_type: x}], expect: []}",
      "README.md": "no rule",
      ".hidden.yml": ruleOf("hidden", "1"),
      ".git/x.yml": ruleOf("git", "1"),
    });
    await using opened = await open(folder.path);
    expect(titles(opened.rules)).toEqual(["b", "a"]);
    expect(opened.rules.current().rules.map(({ file }) => file)).toEqual(["b.yml", "sub/deep/a.yaml"]);
    expect(opened.rules.problems()).toEqual([]);
    expect(await opened.gauges()).toEqual([2, 0]);
  });

  test("with a link to itself is read once", async () => {
    await using folder = await openFolder({ "a.yml": ruleOf("a", "1") });
    await symlink(folder.path, join(folder.path, "loop"));
    await using opened = await open(folder.path);
    expect(titles(opened.rules)).toEqual(["a"]);
    expect(opened.rules.problems()).toEqual([]);
  });

  test("with bad rules is opened without them, and says what is wrong where", async () => {
    await using folder = await openFolder({
      "bad.yml": ruleOf("bad", "1").replace("a:", "a|regex:"),
      "good.yml": ruleOf("good", "1"),
    });
    await using opened = await open(folder.path);
    expect(titles(opened.rules)).toEqual(["good"]);
    expect(opened.rules.problems()).toMatchObject([
      { code: "RULE_MODIFIER_UNKNOWN", severity: "error", file: "bad.yml", line: 5, column: 15 },
    ]);
    expect(await opened.gauges()).toEqual([1, 1]);
  });

  test("that is missing or empty is a problem, not a crash", async () => {
    await using folder = await openFolder();
    await using empty = await open(folder.path);
    expect(empty.rules.problems()).toMatchObject([{ code: "RULE_FILE_UNREADABLE", severity: "error" }]);
    await using missing = await open(join(folder.path, "nowhere"));
    expect(missing.rules.problems()).toMatchObject([{ code: "RULE_FILE_UNREADABLE", severity: "error" }]);
    expect(titles(missing.rules)).toEqual([]);
  });
});

describe("a change", () => {
  test("predecessor-bug-11: editing a rule changes what it matches, without a restart", async () => {
    await using folder = await openFolder({ "a.yml": ruleOf("a", "one") });
    const changes: string[] = [];
    await using opened = await open(folder.path, { onChange: ({ hash }) => changes.push(hash) });
    const before = opened.rules.current();
    expect([matched(opened.rules, "one"), matched(opened.rules, "two")]).toEqual([["a"], []]);
    await folder.write("a.yml", ruleOf("a", "two"));
    await until(() => expect(matched(opened.rules, "two")).toEqual(["a"]));
    expect(matched(opened.rules, "one")).toEqual([]);
    expect(opened.rules.current().hash).not.toBe(before.hash);
    expect(changes).toEqual([opened.rules.current().hash]);
    // Who still holds the old set is not disturbed.
    expect(before.match({ a: "one" }, { category: "test" })).toHaveLength(1);
  });

  test("adds and removes rules, also in folders made later", async () => {
    await using folder = await openFolder({ "a.yml": ruleOf("a", "1") });
    await using opened = await open(folder.path);
    await folder.write("new/b.yml", ruleOf("b", "1"));
    await until(async () => {
      expect(titles(opened.rules)).toEqual(["a", "b"]);
      expect(await opened.gauges()).toEqual([2, 0]);
    });
    await unlink(join(folder.path, "a.yml"));
    await until(() => expect(titles(opened.rules)).toEqual(["b"]));
  });

  test("with an error leaves the whole set before it in force, names the error, and recovers", async () => {
    await using folder = await openFolder({ "a.yml": ruleOf("a", "one"), "b.yml": ruleOf("b", "one") });
    await using opened = await open(folder.path);
    const before = opened.rules.current();
    await folder.write("b.yml", ruleOf("b", "two"));
    await folder.write("a.yml", ruleOf("a", "two").replace("condition: selection", "condition: selektion"));
    await until(() =>
      expect(opened.rules.problems()).toMatchObject([
        { code: "RULE_IDENTIFIER_UNKNOWN", file: "a.yml", line: 6, column: 14 },
      ]),
    );
    expect(opened.rules.current()).toBe(before);
    expect(await opened.gauges()).toEqual([2, 1]);
    await folder.write("a.yml", ruleOf("a", "two"));
    await until(() => expect(matched(opened.rules, "two")).toEqual(["a", "b"]));
    expect(opened.rules.problems()).toEqual([]);
  });

  test("that loses every rule leaves the set before it in force", async () => {
    await using folder = await openFolder({ "a.yml": ruleOf("a", "1") });
    await using opened = await open(folder.path);
    await unlink(join(folder.path, "a.yml"));
    await until(() => expect(opened.rules.problems()).toMatchObject([{ code: "RULE_FILE_UNREADABLE" }]));
    expect(titles(opened.rules)).toEqual(["a"]);
  });

  test("is taken over although another rule has been wrong all along", async () => {
    await using folder = await openFolder({
      "a.yml": ruleOf("a", "one"),
      "bad.yml": ruleOf("bad", "1").replace("a:", "a|regex:"),
    });
    await using opened = await open(folder.path);
    await folder.write("a.yml", ruleOf("a", "two"));
    await until(() => expect(matched(opened.rules, "two")).toEqual(["a"]));
    expect(opened.rules.problems()).toMatchObject([{ code: "RULE_MODIFIER_UNKNOWN", file: "bad.yml" }]);
  });
});

describe("a rule that fails its own cases", () => {
  const cases = (value: string) =>
    `- {case: it holds, events: [{at: 0s, event_type: x, logsource: {category: test}, details: {a: '${value}'}}], expect: [{rule: b}]}`;

  test("is left out when rules are opened, and comes into force when it is mended", async () => {
    await using folder = await openFolder({
      "a.yml": ruleOf("a", "1"),
      "b.yml": ruleOf("b", "1"),
      "b.cases.yml": cases("2"),
    });
    await using opened = await open(folder.path);
    expect(titles(opened.rules)).toEqual(["a"]);
    expect(opened.rules.problems()).toMatchObject([{ code: "RULE_CASES_FAILED", file: "b.cases.yml" }]);
    expect(await opened.gauges()).toEqual([1, 1]);
    await folder.write("b.cases.yml", cases("1"));
    await until(() => expect(titles(opened.rules)).toEqual(["a", "b"]));
    expect(opened.rules.problems()).toEqual([]);
  });

  test("leaves the whole set before it in force when it comes later", async () => {
    await using folder = await openFolder({
      "a.yml": ruleOf("a", "1"),
      "b.yml": ruleOf("b", "1"),
      "b.cases.yml": cases("1"),
    });
    await using opened = await open(folder.path);
    const before = opened.rules.current();
    await folder.write("b.yml", ruleOf("b", "2"));
    await until(() => expect(opened.rules.problems()).toMatchObject([{ code: "RULE_CASES_FAILED" }]));
    expect(opened.rules.current()).toBe(before);
    expect(await opened.gauges()).toEqual([2, 1]);
  });
});

describe("a mounted ConfigMap", () => {
  test("is read once per rule, and again when its version is swapped", async () => {
    await using folder = await openFolder();
    const mount = folder.path;
    await publish(mount, 0, { "a.yml": ruleOf("a", "0") });
    await using opened = await open(mount);
    expect(matched(opened.rules, "0")).toEqual(["a"]);
    for (const version of [1, 2, 3, 4]) {
      await publish(mount, version, { "a.yml": ruleOf("a", String(version)) });
      await until(() => expect(matched(opened.rules, String(version))).toEqual(["a"]));
    }
    await publish(mount, 5, { "a.yml": ruleOf("a", "5"), "b.yml": ruleOf("b", "5") });
    await until(() => expect(matched(opened.rules, "5")).toEqual(["a", "b"]));
  });

  test("with a broken version leaves the last good set in force until a good one comes", async () => {
    await using folder = await openFolder();
    const mount = folder.path;
    await publish(mount, 0, { "a.yml": ruleOf("a", "0") });
    await using opened = await open(mount);
    const before = opened.rules.current();
    await publish(mount, 1, { "a.yml": "title: [" });
    await until(async () => expect(await opened.gauges()).toEqual([1, 1]));
    expect(opened.rules.current()).toBe(before);
    await publish(mount, 2, { "a.yml": ruleOf("a", "2") });
    await until(() => expect(matched(opened.rules, "2")).toEqual(["a"]));
    expect(await opened.gauges()).toEqual([1, 0]);
  });
});
