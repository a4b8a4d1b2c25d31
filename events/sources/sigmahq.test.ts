import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";

import { readSigmaCorpus, sigmaCorpus } from "../../test/support/sigma-corpus.ts";
import type { Logsource } from "../logsource.ts";
import { knownFieldsOf } from "./registry.ts";

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

test.skipIf(sigmaCorpus === undefined)(
  "every field SigmaHQ's rules ask of these log sources is known (AUDITFLOW_SIGMA_CORPUS)",
  { timeout: 120_000 },
  () => {
    const seen = new Set<string>();
    const unknown = new Set<string>();
    for (const { logsource = {}, detection = {} } of readDocuments(sigmaCorpus ?? "")) {
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
  return readSigmaCorpus(path).flatMap(({ text }) =>
    parseAllDocuments(text).map((each) => each.toJS() as Document),
  );
}
