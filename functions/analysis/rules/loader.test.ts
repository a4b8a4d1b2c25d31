import { mkdir, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";

import { createLog } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
import { openFolder, ruleOf } from "./folder.testing.ts";
import { openRules, type Rules } from "./loader.ts";

const log = createLog({ name: "test", level: "silent" });
const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 10_000, interval: 20 });

async function open(directory: string, onChange?: (ruleSet: RuleSet) => void) {
  const metrics = createMetrics("test");
  const rules = await openRules({ directory, log, metrics, ...(onChange ? { onChange } : {}) });
  const gauges = async () => {
    const [loaded, problems] = await Promise.all([metrics.rulesLoaded.get(), metrics.ruleProblems.get()]);
    return [loaded.values[0]?.value, problems.values[0]?.value];
  };
  return { rules, gauges, [Symbol.asyncDispose]: () => rules[Symbol.asyncDispose]() };
}

const titles = (rules: Rules) => rules.current().rules.map(({ title }) => title);
const matched = (rules: Rules, a: string) =>
  rules
    .current()
    .match({ a }, { category: "test" })
    .map(({ title }) => title);

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
    await using opened = await open(folder.path, ({ hash }) => changes.push(hash));
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
      "bad.yml": ruleOf("bad", "1").replace("a:", "a|re:"),
    });
    await using opened = await open(folder.path);
    await folder.write("a.yml", ruleOf("a", "two"));
    await until(() => expect(matched(opened.rules, "two")).toEqual(["a"]));
    expect(opened.rules.problems()).toMatchObject([{ code: "RULE_MODIFIER_UNSUPPORTED", file: "bad.yml" }]);
  });
});

describe("a mounted ConfigMap", () => {
  /** As the kubelet does it: a new folder, a link to it, and the link renamed over the old one. */
  async function publish(mount: string, version: string, files: Readonly<Record<string, string>>) {
    const folder = `..${version}`;
    await mkdir(join(mount, folder));
    for (const [file, text] of Object.entries(files)) await writeFile(join(mount, folder, file), text);
    await symlink(folder, join(mount, "..data_tmp"));
    await rename(join(mount, "..data_tmp"), join(mount, "..data"));
  }

  test("is read once per rule, and again when its version is swapped", async () => {
    await using folder = await openFolder();
    const mount = folder.path;
    await publish(mount, "2026_1", { "a.yml": ruleOf("a", "one") });
    await symlink("..data/a.yml", join(mount, "a.yml"));
    await using opened = await open(mount);
    expect(matched(opened.rules, "one")).toEqual(["a"]);

    for (const [version, value] of [
      ["2026_2", "two"],
      ["2026_3", "three"],
      ["2026_4", "four"],
    ] as const) {
      await publish(mount, version, { "a.yml": ruleOf("a", value) });
      await until(() => expect(matched(opened.rules, value)).toEqual(["a"]));
    }
    await rm(join(mount, "..2026_1"), { recursive: true });

    await publish(mount, "2026_5", { "a.yml": ruleOf("a", "five"), "b.yml": ruleOf("b", "five") });
    await symlink("..data/b.yml", join(mount, "b.yml"));
    await until(() => expect(matched(opened.rules, "five")).toEqual(["a", "b"]));
  });
});
