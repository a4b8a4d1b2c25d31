import { open, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";

import { filterOf, openFolder, ruleOf } from "./folder.testing.ts";
import { matched, openTestRules, packOf, publish, until } from "./loader.testing.ts";
import { buildPack } from "./pack-build.ts";

// A busy machine may take its time.
vi.setConfig({ testTimeout: 60_000 });

describe("a pack", () => {
  test("is loaded by its name, and by the name of the folder it lies in alone", async () => {
    await using folder = await openFolder({ "rules.pack.json": await packOf("a", "one"), "README.md": "" });
    for (const path of [folder.path, join(folder.path, "rules.pack.json")]) {
      await using opened = await openTestRules(path);
      expect(matched(opened.rules, "one")).toEqual(["a"]);
      expect(opened.rules.problems()).toEqual([]);
      expect(await opened.gauges()).toEqual([1, 0]);
    }
  });

  test("says what the folder says that it was built of", async () => {
    await using folder = await openFolder({
      "good.yml": ruleOf("good", "1"),
      "bad.yml": ruleOf("bad", "1").replace("condition: selection", "condition: selektion"),
    });
    const { text = "", problems } = await buildPack(folder.path, "auditflow test");
    await using packed = await openFolder({ "x.pack.json": text });
    await using fromPack = await openTestRules(packed.path);
    await using fromFolder = await openTestRules(folder.path);
    expect(fromPack.rules.current().hash).toBe(fromFolder.rules.current().hash);
    expect(fromPack.rules.problems()).toEqual(fromFolder.rules.problems());
    expect(problems).toHaveLength(1);
  });

  test("beside other rules is refused: nobody could tell which of them is meant", async () => {
    const pack = await packOf("a", "one");
    for (const other of ["b.yml", "sub/b.cases.yaml", "b.pack.json"]) {
      await using folder = await openFolder({ "a.pack.json": pack, [other]: ruleOf("b", "1") });
      await using opened = await openTestRules(folder.path);
      expect(opened.rules.problems()).toMatchObject([{ code: "RULE_PACK_INVALID", severity: "error" }]);
      expect(opened.rules.current().size).toBe(0);
    }
  });

  test("that comes later is taken over", async () => {
    await using folder = await openFolder();
    const file = join(folder.path, "rules.pack.json");
    await using opened = await openTestRules(file);
    expect(opened.rules.problems()).toMatchObject([{ code: "RULE_FILE_UNREADABLE" }]);
    await folder.write("rules.pack.json", await packOf("a", "one"));
    await until(() => expect(matched(opened.rules, "one")).toEqual(["a"]));
  });
});

describe("a pack that is replaced", () => {
  test.for(["the pack", "its folder"] as const)(
    "by a rename is taken over, again and again: %s",
    async (named) => {
      await using folder = await openFolder({ "rules.pack.json": await packOf("a", "0") });
      const file = join(folder.path, "rules.pack.json");
      const hashes: string[] = [];
      await using opened = await openTestRules(named === "the pack" ? file : folder.path, {
        onChange: ({ hash }) => hashes.push(hash),
      });
      for (const value of ["1", "2", "3"]) {
        await writeFile(`${file}.tmp`, await packOf("a", value));
        await rename(`${file}.tmp`, file);
        await until(() => expect(matched(opened.rules, value)).toEqual(["a"]));
      }
      expect(hashes).toHaveLength(3);
      expect(hashes.at(-1)).toBe(opened.rules.current().hash);
    },
  );

  test("by a write in two halves is never half read, and taken over when it is whole", async () => {
    await using folder = await openFolder({ "rules.pack.json": await packOf("a", "one") });
    const path = join(folder.path, "rules.pack.json");
    await using opened = await openTestRules(path);
    const before = opened.rules.current();
    const text = await packOf("b", "two");
    {
      await using file = await open(path, "w");
      await file.write(text.slice(0, text.length / 2));
      await until(() => expect(opened.rules.problems()).toMatchObject([{ code: "RULE_PACK_INVALID" }]));
      expect(opened.rules.current()).toBe(before);
      expect(await opened.gauges()).toEqual([1, 1]);
      await file.write(text.slice(text.length / 2));
    }
    await until(() => expect(matched(opened.rules, "two")).toEqual(["b"]));
    expect(matched(opened.rules, "one")).toEqual([]);
    expect(await opened.gauges()).toEqual([1, 0]);
  });

  test("over itself, so that its head is new and its end is old, is not believed either", async () => {
    await using folder = await openFolder({ "rules.pack.json": await packOf("a", "one") });
    const path = join(folder.path, "rules.pack.json");
    await using opened = await openTestRules(path);
    const before = opened.rules.current();
    const text = await packOf("a", "two");
    {
      await using file = await open(path, "r+");
      await file.write(text.slice(0, 500), 0);
      await until(() => expect(opened.rules.problems()).toMatchObject([{ code: "RULE_PACK_INVALID" }]));
      expect(opened.rules.current()).toBe(before);
      await file.write(text, 0);
    }
    await until(() => expect(matched(opened.rules, "two")).toEqual(["a"]));
  });

  test("by one with rules left out is taken over: that was known when it was built", async () => {
    await using folder = await openFolder({ "rules.pack.json": await packOf("a", "one") });
    await using opened = await openTestRules(folder.path);
    await using source = await openFolder({
      "good.yml": ruleOf("good", "two"),
      "bad.yml": ruleOf("bad", "1").replace("a:", "a|regex:"),
    });
    const { text = "" } = await buildPack(source.path, "auditflow test");
    await folder.write("rules.pack.json", text);
    await until(() => expect(matched(opened.rules, "two")).toEqual(["good"]));
    expect(opened.rules.problems()).toMatchObject([{ file: "bad.yml", severity: "error" }]);
  });
});

describe("a pack in a mounted ConfigMap", () => {
  test.for(["the mount", "the pack"] as const)("is swapped with its version: %s", async (named) => {
    await using folder = await openFolder();
    const mount = folder.path;
    await publish(mount, 0, { "rules.pack.json": await packOf("a", "0") });
    await using opened = await openTestRules(named === "the mount" ? mount : join(mount, "rules.pack.json"));
    for (const version of [1, 2, 3, 4]) {
      await publish(mount, version, { "rules.pack.json": await packOf("a", String(version)) });
      await until(() => expect(matched(opened.rules, String(version))).toEqual(["a"]));
    }
    const last = opened.rules.current();
    await publish(mount, 5, { "rules.pack.json": (await packOf("a", "5")).slice(0, -1) });
    await until(() => expect(opened.rules.problems()).toMatchObject([{ code: "RULE_PACK_INVALID" }]));
    expect(opened.rules.current()).toBe(last);
    await publish(mount, 6, { "rules.pack.json": await packOf("a", "6") });
    await until(() => expect(matched(opened.rules, "6")).toEqual(["a"]));
    expect(opened.rules.problems()).toEqual([]);
  });
});

test.for(["YAML", "a pack"] as const)(
  "an exception in %s ends when it expires, without a change",
  async (kind) => {
    const expires = Date.parse("2027-03-01T12:00:00Z");
    const filter = filterOf("a", new Date(expires).toISOString());
    await using folder = await openFolder({ "a.yml": ruleOf("a", "1"), "filter.yml": filter });
    await using packed = await openFolder();
    const pack = async () => (await buildPack(folder.path, "auditflow test")).text ?? "";
    await packed.write("rules.pack.json", await pack());
    // A clock that stands still until the watch is known to be quiet; the timer goes by the real one.
    let clock = expires - 500;
    const hashes: string[] = [];
    await using opened = await openTestRules(kind === "YAML" ? folder.path : packed.path, {
      now: () => clock,
      onChange: ({ hash }) => hashes.push(hash),
    });
    const known = () => matched(opened.rules, "1", { b: "known" });
    await folder.write("b.yml", ruleOf("b", "1"));
    await packed.write("rules.pack.json", await pack());
    await until(() => expect(known()).toEqual(["b"]));
    clock = expires;
    await until(() => expect(known()).toEqual(["a", "b"]));
    expect(opened.rules.problems()).toMatchObject([{ code: "FILTER_EXPIRED" }]);
    expect(hashes).toHaveLength(2);
  },
);

test("an exception ends when it expires, also while a change with errors is left aside", async () => {
  const expires = Date.parse("2027-03-01T12:00:00Z");
  const filter = filterOf("a", new Date(expires).toISOString());
  await using folder = await openFolder({ "a.yml": ruleOf("a", "1"), "filter.yml": filter });
  let clock = expires - 500;
  await using opened = await openTestRules(folder.path, { now: () => clock });
  await folder.write("bad.yml", ruleOf("bad", "1").replace("a:", "a|regex:"));
  await until(() => expect(opened.rules.problems()).toMatchObject([{ file: "bad.yml" }]));
  expect(matched(opened.rules, "1", { b: "known" })).toEqual([]);
  clock = expires;
  await until(() => expect(matched(opened.rules, "1", { b: "known" })).toEqual(["a"]));
});
