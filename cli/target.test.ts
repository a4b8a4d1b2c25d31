import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { devInstanceFile, resolveTarget } from "./target.ts";

const before = process.cwd();
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "auditflow-target-"));
  await mkdir(join(folder, ".auditflow"));
  process.chdir(folder);
});
afterEach(async () => {
  process.chdir(before);
  await rm(folder, { recursive: true });
});

test.for([
  ["http://localhost:9", "http://localhost:9"],
  ["http://127.0.0.1:9", "http://127.0.0.1:9"],
  ["http://[::1]:9", "http://[::1]:9"],
  ["http://evil.example", "http://localhost:8484"],
  ["https://evil.example", "http://localhost:8484"],
  ["http://127.0.0.1.evil.example", "http://localhost:8484"],
  ["http://localhost@evil.example", "http://localhost:8484"],
] as const)("a folder that notes %s makes commands talk to %s", async ([url, base]) => {
  await writeFile(devInstanceFile, JSON.stringify({ url, pid: 1 }));
  expect(await resolveTarget(undefined, {})).toBe(base);
});

test("what is said counts, not the folder", async () => {
  await writeFile(devInstanceFile, JSON.stringify({ url: "http://localhost:9", pid: 1 }));
  expect(await resolveTarget(undefined, { AUDITFLOW_URL: "https://one.example" })).toBe(
    "https://one.example",
  );
  expect(await resolveTarget("https://two.example", { AUDITFLOW_URL: "x" })).toBe("https://two.example");
});
