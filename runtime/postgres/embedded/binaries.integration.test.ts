import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import { locateBinaries, packageRoot } from "./binaries.ts";
import { chooseOwner, type Owner } from "./owner.ts";

let folder: string;
let owner: Owner | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "auditflow-binaries-"));
  await chmod(folder, 0o755);
  owner = await chooseOwner(folder);
});
afterAll(async () => {
  await unlock(folder);
  await rm(folder, { recursive: true, force: true });
});

/** Makes folders writable again, so that they can be removed. */
async function unlock(path: string): Promise<void> {
  await chmod(path, 0o755);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await unlock(join(path, entry.name));
  }
}

/** The package as it is unpacked when no install script ran: without its links. */
async function unpack(name: string): Promise<string> {
  const root = join(folder, name);
  await cp(packageRoot(), root, {
    recursive: true,
    filter: async (source) => !source.endsWith(".a") && !(await lstat(source)).isSymbolicLink(),
  });
  return root;
}

async function version(program: string): Promise<string> {
  const child = spawn(program, ["--version"], {
    ...owner,
    cwd: "/",
    env: {},
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  await once(child, "close");
  return output;
}

async function makeHome(name: string): Promise<string> {
  const home = join(folder, name);
  await mkdir(home);
  return home;
}

test("the links its install script would make are made in place, once", async () => {
  const [root, home] = [await unpack("plain"), await makeHome("plain-home")];
  const binaries = await locateBinaries(home, owner, root);
  expect(binaries.postgres).toBe(join(root, "native", "bin", "postgres"));
  expect(await locateBinaries(home, owner, root)).toEqual(binaries);
  expect(await version(binaries.initdb)).toContain(`(PostgreSQL) ${binaries.major}.`);
  const links: { target: string }[] = JSON.parse(
    await readFile(join(root, "native", "pg-symlinks.json"), "utf8"),
  );
  for (const { target } of links) expect((await lstat(join(root, target))).isSymbolicLink()).toBe(true);
  expect(await readdir(home)).toEqual([]);
});

test("where it may not be completed or not be entered, a complete copy is used", async () => {
  const [root, home] = [await unpack("closed"), await makeHome("closed-home")];
  // Root can write everywhere, but whom it starts cannot enter; anybody else cannot write.
  await chmod(join(root, "native", "lib"), 0o555);
  if (owner) await chmod(root, 0o700);
  const starts = await Promise.all([locateBinaries(home, owner, root), locateBinaries(home, owner, root)]);
  const [binaries] = starts;
  expect(starts[1]).toEqual(binaries);
  expect(binaries.postgres.startsWith(home)).toBe(true);
  expect(await version(binaries.postgres)).toContain(`(PostgreSQL) ${binaries.major}.`);
  expect(await version(binaries.initdb)).toContain("initdb");
  expect(await readdir(home)).toHaveLength(1);
});
