import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";

import { openFolder, ruleOf } from "../../functions/analysis/rules/folder.testing.ts";
import { runCommand } from "../../test/support/command.ts";

const failing = "- {case: it is seen, events: [{at: 0s, event_type: x}], expect: [{rule: b}]}";

test("rules build writes a pack, says what is in it, and writes the same pack again", async () => {
  await using folder = await openFolder({ "a.yml": ruleOf("a", "1"), "b.yml": ruleOf("b", "1") });
  const file = join(folder.path, "out.json");
  const result = await runCommand(["rules", "build", folder.path, "--out", file]);
  expect(result).toMatchObject({ exitCode: 0, err: [] });
  expect(result.out[0]).toMatch(
    /out\.json: 2 rules of 1 log source, 0 correlations; 0 cases passed, 0 failed; 2 KiB; rule set [0-9a-f]{64}$/,
  );
  const text = await readFile(file, "utf8");
  expect(JSON.parse(text)).toMatchObject({ format: "auditflow.rules", version: 1 });
  await runCommand(["rules", "build", folder.path, "--out", file]);
  expect(await readFile(file, "utf8")).toBe(text);
  expect(await readdir(folder.path)).toEqual(["a.yml", "b.yml", "out.json"]);
});

test("a rule that fails its cases is not packed: the build names it and ends with 3", async () => {
  await using folder = await openFolder({
    "a.yml": ruleOf("a", "1"),
    "b.yml": ruleOf("b", "1"),
    "b.cases.yml": failing,
  });
  const file = join(folder.path, "out.json");
  const { exitCode, out, err } = await runCommand(["rules", "build", folder.path, "--out", file]);
  expect(exitCode).toBe(3);
  expect(out[0]).toContain("1 rule of 1 log source, 0 correlations; 0 cases passed, 1 failed");
  expect(err.join("\n")).toMatch(/b\.cases\.yml:1:1 +error +RULE_CASES_FAILED .*'b' is left out/);
  expect(await readFile(file, "utf8")).not.toContain('b.yml","line');
});

test("when no rule is left nothing is written", async () => {
  await using folder = await openFolder({ "b.yml": ruleOf("b", "1"), "b.cases.yml": failing });
  const file = join(folder.path, "out.json");
  const { exitCode, err } = await runCommand(["rules", "build", folder.path, "--out", file]);
  expect([exitCode, err.at(-1)]).toEqual([3, "no rule is left to pack: nothing was written"]);
  expect(await readdir(folder.path)).not.toContain("out.json");
});

test("a pack that cannot be written is told, and so is a folder that is none", async () => {
  await using folder = await openFolder({ "a.yml": ruleOf("a", "1") });
  const nowhere = join(folder.path, "no", "such", "folder.json");
  const unwritable = await runCommand(["rules", "build", folder.path, "--out", nowhere]);
  expect([unwritable.exitCode, unwritable.err.at(-1)]).toEqual([2, expect.stringContaining("--out")]);
  const noFolder = await runCommand(["rules", "build", join(folder.path, "a.yml")]);
  expect([noFolder.exitCode, noFolder.err.at(-1)]).toEqual([2, expect.stringContaining("is not a folder")]);
});
