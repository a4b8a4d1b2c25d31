import { spawn } from "node:child_process";
import { once } from "node:events";
import { stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";

import { readRuleFiles } from "./files.ts";
import { openFolder } from "./folder.testing.ts";

// A busy machine may take its time.
vi.setConfig({ testTimeout: 60_000 });

const names = Array.from({ length: 30 }, (_, index) => `rule-${index}.yml`);

/** Publishes version after version as the kubelet does; what a file says is its version. */
const kubelet = `
  const { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } = require("node:fs");
  const names = ${JSON.stringify(names)};
  for (let version = 1; ; version += 1) {
    mkdirSync("..v" + version);
    for (const name of names) writeFileSync("..v" + version + "/" + name, String(version));
    symlinkSync("..v" + version, "..data_tmp");
    renameSync("..data_tmp", "..data");
    rmSync("..v" + (version - 1), { recursive: true, force: true });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 8);
  }`;

test("files that are read while a ConfigMap is swapped are all of one version", async () => {
  await using folder = await openFolder();
  const mount = folder.path;
  for (const name of names) await symlink(`..data/${name}`, join(mount, name));
  const child = spawn(process.execPath, ["-e", kubelet], { cwd: mount, stdio: "ignore" });
  try {
    await vi.waitFor(() => stat(join(mount, "..data")), { timeout: 20_000, interval: 5 });
    const seen = new Set<string>();
    for (let round = 0; round < 200; round += 1) {
      const { rules, problems } = await readRuleFiles(mount);
      const versions = new Set(rules.map(({ text }) => text));
      // When it cannot be read in one piece, it is not read at all.
      expect([rules.length, versions.size]).toEqual(problems.length > 0 ? [0, 0] : [names.length, 1]);
      for (const version of versions) seen.add(version);
    }
    expect(seen.size).toBeGreaterThan(10);
  } finally {
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
});
