import { createHash } from "node:crypto";
import { expect, test } from "vitest";

import { readSigmaCorpus, sigmaCorpus } from "../../../test/support/sigma-corpus.ts";
import { compileRuleSet } from "./compile.ts";
import { parseDocuments } from "./language/document.ts";

const hash = (text: string) => createHash("sha256").update(text).digest("hex");

test.skipIf(sigmaCorpus === undefined)(
  "every document of the corpus (AUDITFLOW_SIGMA_CORPUS) is loaded but those that need values for placeholders",
  { timeout: 120_000 },
  () => {
    const documents = readSigmaCorpus(sigmaCorpus ?? "");
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

test.skipIf(sigmaCorpus === undefined)(
  "the corpus as one stream is the same rules: no document knows in which file it stands",
  { timeout: 120_000 },
  () => {
    const documents = readSigmaCorpus(sigmaCorpus ?? "").toSorted((a, b) => (a.file < b.file ? -1 : 1));
    const stream = documents.map(({ text }) => `---\n${text}\n`).join("");
    const apart = compileRuleSet(documents, { hash });
    const together = compileRuleSet([{ file: "all.yml", text: stream }], { hash });
    expect(together.report).toEqual(apart.report);
    expect(together.ruleSet.hash).toBe(apart.ruleSet.hash);
  },
);
