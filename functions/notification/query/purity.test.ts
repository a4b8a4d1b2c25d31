import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, test } from "vitest";

/** Bundles a script for a platform without built-in modules and runs it where no text becomes code. */
async function runPure(script: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "auditflow-query-"));
  try {
    const outfile = join(directory, "query.mjs");
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

test("the language runs without built-in modules and without making code of texts", async () => {
  const printed = await runPure(`
    import { QueryError } from "./error.ts";
    import { matches } from "./predicate.ts";
    import { parseQuery } from "./query.ts";
    import { toCondition } from "./sql.ts";
    const alert = { rule_id: "ssh-burst", tags: [], last_seen: "2026-11-21T12:00:00Z" };
    const query = parseQuery("rule:~^SSH seen:<1m");
    let position;
    try { parseQuery("a actr:x"); } catch (error) { if (error instanceof QueryError) position = error.position; }
    console.log([matches(query, alert, Date.parse("2026-11-21T12:00:30Z")), position, typeof toCondition].join());
  `);
  expect(printed.trim()).toBe("true,2,function");
});

test("the run would notice a built-in module", async () => {
  await expect(runPure(`import { join } from "node:path"; console.log(join("a", "b"));`)).rejects.toThrow(
    "node:path",
  );
});

test("no file of the language imports more than its own, times, the view of alerts and the regex engine", () => {
  const files = globSync("**/*.ts", { cwd: import.meta.dirname }).filter(
    (file) => !/\.(?:test|testing)\.ts$/.test(file),
  );
  expect(files.length).toBeGreaterThan(10);
  const outside = files.flatMap((file) =>
    [
      ...readFileSync(join(import.meta.dirname, file), "utf8").matchAll(
        /^(?:import|export) (type )?[^;]*from "([^"]+)"/gm,
      ),
    ]
      .filter(
        ([, type, name = ""]) => type === undefined && (name.startsWith("../..") || !name.startsWith(".")),
      )
      .map(([, , name]) => name),
  );
  expect(new Set(outside)).toEqual(new Set(["../../../events/time.ts", "re2js"]));
});
