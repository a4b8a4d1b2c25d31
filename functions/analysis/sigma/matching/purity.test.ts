import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, test } from "vitest";

const folder = join(import.meta.dirname, "..");

/** Bundles the engine for a platform without built-in modules and runs it where no text becomes code. */
async function runPure(script: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "auditflow-pure-"));
  try {
    const outfile = join(directory, "engine.mjs");
    await build({
      stdin: { contents: script, resolveDir: import.meta.dirname, loader: "ts" },
      bundle: true,
      platform: "neutral",
      mainFields: ["module", "main"],
      format: "esm",
      outfile,
      logLevel: "silent",
    });
    return execFileSync(process.execPath, ["--disallow-code-generation-from-strings", outfile], {
      encoding: "utf8",
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test("the matcher runs without built-in modules and without making code of texts", async () => {
  const printed = await runPure(`
    import { createRuleIndex } from "./rule-index.ts";
    const detection = { kind: "field", field: "f", linkage: "any", tests: [
      { kind: "regex", source: "(a+)+b", flags: "i" },
      { kind: "pattern", pattern: ["many", { literal: "needle" }, "many"], cased: false },
    ] };
    const index = createRuleIndex([{ detection }]);
    console.log([{ f: "xAAB" }, { f: "a Needle" }, { f: "c" }].map((event) => index.match(event).length).join());
  `);
  expect(printed.trim()).toBe("1,1,0");
});

test("the run would notice code made of a text, and a built-in module", async () => {
  await expect(runPure(`console.log(new Function("return 1")())`)).rejects.toThrow("Code generation");
  await expect(runPure(`import { join } from "node:path"; console.log(join("a", "b"));`)).rejects.toThrow(
    "node:path",
  );
});

test("no file of the engine imports a built-in module or leaves its folder", () => {
  const files = globSync("**/*.ts", { cwd: folder }).filter(
    (file) => !/\.(?:test|testing|conformance)\.ts$/.test(file),
  );
  expect(files.length).toBeGreaterThan(20);
  for (const file of files) {
    const imported = [...readFileSync(join(folder, file), "utf8").matchAll(/from "([^"]+)"/g)].map(
      (found) => found[1] ?? "",
    );
    const depth = file.split("/").length - 1;
    for (const name of imported) {
      const isOurs = name.startsWith(".") && (name.match(/\.\.\//g) ?? []).length <= depth;
      expect([file, name, isOurs || name === "yaml" || name === "re2js"]).toEqual([file, name, true]);
    }
  }
});
