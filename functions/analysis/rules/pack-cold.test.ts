import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";

import { openFolder, ruleOf } from "./folder.testing.ts";
import { packOf } from "./loader.testing.ts";

// A busy machine may take its time.
vi.setConfig({ testTimeout: 60_000 });

/** Opens rules in a process of its own, judges one event, and tells which modules that took. */
const judgeOne = `
  import { registerHooks } from "node:module";
  const loaded = [];
  registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
  const { openRules } = await import(process.argv[1]);
  const metrics = { rulesLoaded: { set() {} }, ruleProblems: { set() {} } };
  const log = { info() {}, warn() {}, error() {} };
  const rules = await openRules({ directory: process.argv[2], log, metrics });
  const matched = rules.current().match({ a: "1" }, { category: "test" }).map(({ title }) => title);
  process.stdout.write(JSON.stringify({ loaded, matched }));
  process.exit(0);`;

async function modulesOf(path: string): Promise<readonly string[]> {
  const loader = join(import.meta.dirname, "loader.ts");
  const args = ["--input-type=module", "-e", judgeOne, loader, path];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { loaded, matched }: { loaded: readonly string[]; matched: readonly string[] } = JSON.parse(stdout);
  expect(matched).toEqual(["a"]);
  const heavy = ["/yaml/", "/chokidar/", "/zod/"];
  return heavy.filter((name) => loaded.some((url) => url.includes(`/node_modules${name}`)));
}

test("with a pack the first answer needs neither the YAML reader nor the watcher nor a schema", async () => {
  await using folder = await openFolder({ "rules.pack.json": await packOf("a", "1") });
  expect(await modulesOf(folder.path)).toEqual([]);
});

test("with a folder it needs the YAML reader", async () => {
  await using folder = await openFolder({ "a.yml": ruleOf("a", "1") });
  expect(await modulesOf(folder.path)).toEqual(["/yaml/", "/zod/"]);
});
