import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { vi } from "vitest";

import { createLog } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import { openRules, type Rules, type RulesOptions } from "./loader.ts";
import { buildPack } from "./pack-build.ts";
import { openFolder, ruleOf } from "./folder.testing.ts";

/** Waits until a check passes, for as long as a busy machine may need. */
export const until = (check: () => void | Promise<void>) =>
  vi.waitFor(check, { timeout: 20_000, interval: 20 });

/** Opens rules with metrics of their own; `gauges` are how many are in force and how many problems there are. */
export async function openTestRules(directory: string, options: Pick<RulesOptions, "onChange" | "now"> = {}) {
  const metrics = createMetrics("test");
  const rules = await openRules({
    directory,
    log: createLog({ name: "test", level: "silent" }),
    metrics,
    ...options,
  });
  const gauges = async () => {
    const [loaded, problems] = await Promise.all([metrics.rulesLoaded.get(), metrics.ruleProblems.get()]);
    return [loaded.values[0]?.value, problems.values[0]?.value];
  };
  return { rules, gauges, [Symbol.asyncDispose]: () => rules[Symbol.asyncDispose]() };
}

/** The titles of the rules of category `test` that hold for a value of `a`, and further fields. */
export function matched(rules: Rules, a: string, further: object = {}): readonly string[] {
  return rules
    .current()
    .match({ ...further, a }, { category: "test" })
    .map(({ title }) => title);
}

/**
 * Publishes a version of a ConfigMap as the kubelet does: a new folder, a link to it, the link renamed over
 * the old one, links for new names, and the version before gone.
 */
export async function publish(
  mount: string,
  version: number,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const folder = `..2026_${version}`;
  await mkdir(join(mount, folder));
  for (const [file, text] of Object.entries(files)) await writeFile(join(mount, folder, file), text);
  await symlink(folder, join(mount, "..data_tmp"));
  await rename(join(mount, "..data_tmp"), join(mount, "..data"));
  for (const file of Object.keys(files)) {
    await symlink(`..data/${file}`, join(mount, file)).catch(() => undefined);
  }
  await rm(join(mount, `..2026_${version - 1}`), { recursive: true, force: true });
}

/** A pack of one rule, `title`, that holds for this value of `a`. */
export async function packOf(title: string, value: string): Promise<string> {
  await using folder = await openFolder({ "a.yml": ruleOf(title, value) });
  return (await buildPack(folder.path, "auditflow test")).text ?? "";
}
