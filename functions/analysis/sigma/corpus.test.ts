import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

import { compileRuleSet, type RuleDocument } from "./compile.ts";
import { parseDocuments } from "./language/document.ts";

/** A folder or a .tar.gz of Sigma rules, such as a release of SigmaHQ/sigma. */
const corpus = process.env["AUDITFLOW_SIGMA_CORPUS"];

function readCorpus(path: string): readonly RuleDocument[] {
  if (statSync(path).isDirectory()) return readFolder(path);
  const folder = mkdtempSync(join(tmpdir(), "auditflow-corpus-"));
  try {
    execFileSync("tar", ["-xzf", path, "-C", folder]);
    return readFolder(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readFolder(folder: string): readonly RuleDocument[] {
  return globSync("**/*.{yml,yaml}", { cwd: folder }).map((file) => ({
    file,
    text: readFileSync(join(folder, file), "utf8"),
  }));
}

const hash = (text: string) => createHash("sha256").update(text).digest("hex");

test.skipIf(corpus === undefined)(
  "every document of the corpus (AUDITFLOW_SIGMA_CORPUS) is loaded or refused by name",
  { timeout: 120_000 },
  () => {
    const documents = readCorpus(corpus ?? "");
    const total = documents.flatMap(({ text }) => parseDocuments(text)).length;
    const { ruleSet, problems } = compileRuleSet(documents, { hash });
    const errors = problems.filter(({ severity }) => severity === "error");
    const byCode = Map.groupBy(errors, ({ code }) => code);
    const loaded = ruleSet.rules.length + ruleSet.correlations.length;
    const share = (count: number) => `${count} (${((100 * count) / total).toFixed(1)} %)`;
    const report = [...byCode].map(([code, found]) => `  ${code} ${share(found.length)}`);
    process.stderr.write(
      [`corpus: ${total} documents, loaded ${share(loaded)}, refused`, ...report, ""].join("\n"),
    );
    expect(loaded + errors.length).toBe(total);
    expect(loaded / total).toBeGreaterThan(0.9);
    expect([...byCode.keys()]).toEqual(["RULE_MODIFIER_UNSUPPORTED"]);
    for (const { logsource } of ruleSet.rules)
      expect(ruleSet.match({ unrelated: [{ nested: null }] }, logsource)).toBeInstanceOf(Array);
  },
);
