import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const folder = import.meta.dirname;
const readme = readFileSync(path.join(folder, "README.md"), "utf8");
const [, example = ""] = /```ts\n(.*?)```/s.exec(readme) ?? [];

test("the example answers what its comments say, with code generation from strings forbidden", async () => {
  const temporary = await mkdtemp(path.join(tmpdir(), "sigma-readme-"));
  try {
    const file = path.join(temporary, "example.mts");
    await writeFile(file, example.replace('"./engine.ts"', JSON.stringify(path.join(folder, "engine.ts"))));
    const flags = ["--disallow-code-generation-from-strings", "--disable-warning=ExperimentalWarning"];
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, file]);
    const expected = example.split("\n").filter((line) => line.startsWith("// "));
    expect(expected).toHaveLength(4);
    expect(stdout.trim().split("\n")).toEqual(expected.map((line) => line.slice(3)));
  } finally {
    await rm(temporary, { recursive: true });
  }
});

test("the files it names are there", () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, link = ""]) => link);
  expect(links.length).toBeGreaterThan(10);
  expect(links.filter((link) => !existsSync(path.join(folder, link)))).toEqual([]);
});
