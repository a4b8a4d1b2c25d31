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
  "every document of the corpus (AUDITFLOW_SIGMA_CORPUS) is loaded but those that need values for placeholders",
  { timeout: 120_000 },
  () => {
    const documents = readCorpus(corpus ?? "");
    const total = documents.flatMap(({ text }) => parseDocuments(text)).length;
    const began = process.threadCpuUsage();
    const { ruleSet, problems, report } = compileRuleSet(documents, { hash });
    const { user, system } = process.threadCpuUsage(began);
    const errors = problems.filter(({ severity }) => severity === "error");
    const share = (count: number) => `${count} (${((100 * count) / total).toFixed(2)} %)`;
    const refused = Object.entries(report.byCode).map(([code, count]) => `  ${code} ${share(count)}`);
    const cpu = `in ${Math.round((user + system) / 1000)} ms CPU`;
    process.stderr.write(
      [`corpus: ${total} documents, loaded ${share(report.loaded)} ${cpu}, refused`, ...refused, ""].join(
        "\n",
      ),
    );
    expect(report).toMatchObject({ documents: total, loaded: total - errors.length, refused: errors.length });
    expect(Object.keys(report.byCode)).toEqual(["RULE_PLACEHOLDER_UNKNOWN"]);
    expect(report.refused / total).toBeLessThan(0.001);
    expect(ruleSet.size).toBe(report.rules + report.correlations);
    expect(problems.filter(({ severity }) => severity === "warning")).toEqual([]);
    for (const { logsource } of ruleSet.rules)
      expect(ruleSet.match({ unrelated: [{ nested: null }] }, logsource)).toBeInstanceOf(Array);
  },
);

test.skipIf(corpus === undefined)(
  "the corpus as one stream is the same rules: no document knows in which file it stands",
  { timeout: 120_000 },
  () => {
    const documents = readCorpus(corpus ?? "").toSorted((a, b) => (a.file < b.file ? -1 : 1));
    const stream = documents.map(({ text }) => `---\n${text}\n`).join("");
    const apart = compileRuleSet(documents, { hash });
    const together = compileRuleSet([{ file: "all.yml", text: stream }], { hash });
    expect(together.report).toEqual(apart.report);
    expect(together.ruleSet.hash).toBe(apart.ruleSet.hash);
  },
);
