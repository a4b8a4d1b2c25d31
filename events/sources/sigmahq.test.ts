import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";

import type { Logsource } from "../logsource.ts";
import { knownFieldsOf } from "./registry.ts";

/** A folder or a .tar.gz of Sigma rules, such as a release of SigmaHQ/sigma. */
const corpus = process.env["AUDITFLOW_SIGMA_CORPUS"];

/** The log sources whose rules AuditFlow says it understands the fields of. */
const covered: readonly Logsource[] = [
  { product: "aws", service: "cloudtrail" },
  { product: "kubernetes" },
  { product: "github" },
  { product: "okta" },
  { product: "gcp" },
  { product: "azure", service: "activitylogs" },
  { product: "linux", service: "auditd" },
  { product: "linux", service: "sshd" },
  { category: "webserver" },
  { service: "nginx" },
  { service: "apache" },
];

/** Fields that rules ask for and no record has. */
const exceptions: ReadonlyMap<string, string> = new Map([
  ["aws/cloudtrail: status", "no member of a CloudTrail record; success is the absence of errorCode"],
]);

interface Document {
  readonly logsource?: Logsource;
  readonly detection?: Readonly<Record<string, unknown>>;
}

test.skipIf(corpus === undefined)(
  "every field SigmaHQ's rules ask of these log sources is known (AUDITFLOW_SIGMA_CORPUS)",
  { timeout: 120_000 },
  () => {
    const seen = new Set<string>();
    const unknown = new Set<string>();
    for (const { logsource = {}, detection = {} } of readDocuments(corpus ?? "")) {
      if (!covered.some((each) => isOf(logsource, each))) continue;
      const known = knownFieldsOf(logsource);
      const place = [logsource.product, logsource.category, logsource.service].filter(Boolean).join("/");
      for (const field of Object.entries(detection).flatMap(([name, part]) =>
        name === "condition" ? [] : fieldsOf(part),
      )) {
        seen.add(`${place}: ${field}`);
        if (known?.has(field) !== true) unknown.add(`${place}: ${field}`);
      }
    }
    expect(seen.size).toBeGreaterThan(80);
    expect([...unknown].toSorted()).toEqual([...exceptions.keys()]);
  },
);

function isOf(logsource: Logsource, stated: Logsource): boolean {
  return Object.entries(stated).every(([name, value]) => Reflect.get(logsource, name) === value);
}

/** The field names of a selection; keywords have none. */
function fieldsOf(part: unknown): readonly string[] {
  if (Array.isArray(part)) return part.flatMap(fieldsOf);
  if (typeof part !== "object" || part === null) return [];
  return Object.keys(part)
    .flatMap((key) => key.split("|", 1))
    .filter((name) => name !== "");
}

function readDocuments(path: string): readonly Document[] {
  if (statSync(path).isDirectory()) return readFolder(path);
  const folder = mkdtempSync(join(tmpdir(), "auditflow-corpus-"));
  try {
    execFileSync("tar", ["-xzf", path, "-C", folder]);
    return readFolder(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readFolder(folder: string): readonly Document[] {
  return globSync("**/*.{yml,yaml}", { cwd: folder }).flatMap((file) =>
    parseAllDocuments(readFileSync(join(folder, file), "utf8")).map((each) => each.toJS() as Document),
  );
}
