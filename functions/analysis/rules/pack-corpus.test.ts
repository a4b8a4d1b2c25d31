import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import type { EventLogsource } from "../sigma/language/logsource.ts";
import { openFolder } from "./folder.testing.ts";
import { buildPack } from "./pack-build.ts";
import { readSource } from "./source.ts";

/** A folder or a .tar.gz of Sigma rules, and a folder of events, a line each. */
const corpus = process.env["AUDITFLOW_SIGMA_CORPUS"];
const realEvents = process.env["AUDITFLOW_REAL_EVENTS"];

const logsources: Readonly<Record<string, EventLogsource>> = {
  cloudtrail: { product: "aws", service: "cloudtrail" },
  github: { product: "github", service: "audit" },
  kubernetes: { product: "kubernetes", category: "application", service: "audit" },
};

test.skipIf(corpus === undefined)(
  "a pack of the corpus (AUDITFLOW_SIGMA_CORPUS) judges as the folder does, also real events (AUDITFLOW_REAL_EVENTS)",
  { timeout: 300_000 },
  async () => {
    await using folder = await openFolder();
    const directory = unpacked(corpus ?? "", folder.path);
    const { text = "", ruleSet } = await buildPack(directory, "auditflow test");
    await folder.write("x.pack.json", text);
    const pack = await (await readSource(join(folder.path, "x.pack.json"))).load(undefined);
    expect(pack.ruleSet.size).toBe(ruleSet.size);
    let hits = 0;
    for (const [name, logsource] of Object.entries(logsources)) {
      for (const line of linesOf(name)) {
        const event: object = JSON.parse(line);
        const expected = ruleSet.match(event, logsource).map(({ id }) => id);
        expect(pack.ruleSet.match(event, logsource).map(({ id }) => id)).toEqual(expected);
        hits += expected.length;
      }
    }
    if (realEvents !== undefined) expect(hits).toBeGreaterThan(0);
    // Last, because it parses every section.
    expect(JSON.stringify(pack.ruleSet.rules)).toBe(JSON.stringify(ruleSet.rules));
  },
);

function unpacked(path: string, folder: string): string {
  if (statSync(path).isDirectory()) return path;
  const directory = join(folder, "corpus");
  mkdirSync(directory);
  execFileSync("tar", ["-xzf", path, "-C", directory]);
  return directory;
}

function linesOf(name: string): readonly string[] {
  const file = join(realEvents ?? "", `${name}.ndjson`);
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
}
