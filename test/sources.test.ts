import { createHash } from "node:crypto";

import { expect, test } from "vitest";

import { logsourceOf } from "../events/logsource.ts";
import { fieldsOf } from "../functions/analysis/fields.ts";
import { compileRuleSet } from "../functions/analysis/sigma/compile.ts";
import { sources } from "../functions/generator/sources/registry.ts";

const hash = (text: string) => createHash("sha256").update(text).digest("hex");

const kubernetesPod = {
  kind: "Event",
  apiVersion: "audit.k8s.io/v1",
  auditID: "a-1",
  verb: "create",
  objectRef: { resource: "deployments", namespace: "shop", apiGroup: "apps" },
  requestObject: {
    spec: { template: { spec: { volumes: [{ name: "x" }, { name: "host", hostPath: { path: "/" } }] } } },
  },
  stageTimestamp: "2026-11-21T11:00:00Z",
};

const oktaProxy = {
  uuid: "u-1",
  published: "2026-11-21T11:00:00Z",
  eventType: "user.session.start",
  displayMessage: "User login to Okta",
  actor: { alternateId: "dora@example.com" },
  outcome: { result: "SUCCESS" },
  target: [{ displayName: "Okta Admin Console" }],
  securityContext: { isProxy: true },
};

const gcpBreakGlass = {
  protoPayload: {
    serviceName: "compute.googleapis.com",
    methodName: "v1.compute.firewalls.delete",
    authorizationInfo: [{ permission: "compute.firewalls.delete", granted: true }],
  },
  insertId: "i-1",
  timestamp: "2026-11-21T11:00:00Z",
  logName: "projects/till/logs/cloudaudit.googleapis.com%2Factivity",
  resource: { type: "gce_firewall_rule", labels: { project_id: "till" } },
};

const azureWrite = {
  time: "2026-11-21T11:00:00Z",
  resourceId: "/SUBSCRIPTIONS/1/PROVIDERS/MICROSOFT.ADHYBRIDHEALTHSERVICE/SERVICES/AdFederationService-1",
  operationName: "Microsoft.ADHybridHealthService/services/delete",
  category: "Administrative",
  resultType: "Success",
};

const stamp = "msg=audit(1795260603.120:4711)";
const auditdExec = [
  `type=SYSCALL ${stamp}: arch=c000003e syscall=59 success=yes auid=1000 uid=33 euid=33 comm="nc" exe="/usr/bin/nc"`,
  `type=EXECVE ${stamp}: argc=3 a0="nc" a1="-e" a2=2F62696E2F7368`,
  `type=CWD ${stamp}: cwd="/var/www"`,
].join("\n");

const falcoShell = {
  hostname: "worker-2",
  output: "a shell",
  output_fields: { "proc.cmdline": "bash -i", "container.image.repository": "docker.io/till" },
  priority: "Notice",
  rule: "Terminal shell in container",
  source: "syscall",
  time: "2026-11-21T11:30:01Z",
};

const access = '203.0.113.5 - - [21/Nov/2026:12:30:03 +0100] "GET /a.php?cmd=id HTTP/1.1" 200 5 "-" "curl/8"';

/** Source, record, the rule's log source and its detection, in Sigma's words. */
test.for([
  [
    "kubernetes",
    kubernetesPod,
    "product: kubernetes, service: audit",
    "{ verb: create, hostPath: '*', apiGroup: apps }",
  ],
  [
    "okta",
    oktaProxy,
    "product: okta, service: okta",
    "{ eventtype: user.session.start, securityContext.isProxy: 'true', actor.alternateId|endswith: '@example.com', target.displayName: Okta Admin Console, outcome.result: SUCCESS }",
  ],
  [
    "gcp",
    gcpBreakGlass,
    "product: gcp, service: gcp.audit",
    "{ gcp.audit.method_name: 'v*.Compute.Firewalls.Delete', data.protoPayload.authorizationInfo.granted: 'true', data.protoPayload.resource.type: gce_firewall_rule, data.protoPayload.logName|contains: 'cloudaudit' }",
  ],
  [
    "azure-activity",
    azureWrite,
    "product: azure, service: activitylogs",
    "{ CategoryValue: Administrative, ResourceProviderValue: Microsoft.ADHybridHealthService, ResourceId|contains: AdFederationService, OperationNameValue|endswith: services/delete }",
  ],
  [
    "auditd",
    auditdExec,
    "product: linux, service: auditd",
    "{ type: EXECVE, a0: nc, a1: '-e', SYSCALL: execve, euid: 33 }",
  ],
  [
    "auditd",
    auditdExec,
    "product: linux, category: process_creation",
    "{ Image|endswith: /nc, CommandLine|contains: ' -e /bin/sh', CurrentDirectory: /var/www }",
  ],
  [
    "falco",
    falcoShell,
    "product: falco, service: syscall",
    "{ proc.cmdline|startswith: bash, container.image.repository|contains: till, CommandLine|endswith: '-i', priority: notice }",
  ],
  [
    "web-access",
    access,
    "category: webserver",
    "{ cs-method: GET, cs-uri-query|startswith: 'cmd=', cs-uri-stem|endswith: .php, sc-status: 200, cs-referer: null, c-ip: 203.0.113.5, cs-user-agent|startswith: curl }",
  ],
  ["web-access", access, "category: webserver", "{ cs-uri-query|contains: '/a.php?cmd=' }"],
] as const)(
  "a record of %s is found by a rule that asks for what it says",
  ([name, record, logsource, detection]) => {
    const text = `title: Found\nid: 00000000-0000-4000-8000-000000000001\nlogsource: { ${logsource} }\ndetection: { selection: ${detection}, condition: selection }`;
    const other = text.replace("0001", "0002").replace("logsource: {", "logsource: { product: nobody } #");
    const { ruleSet, problems } = compileRuleSet(
      [
        { file: "a.yml", text },
        { file: "b.yml", text: other },
      ],
      { hash },
    );
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);

    const source = sources.find((each) => each.name === name);
    const [adapted] = source?.adapt(record, { headers: {}, receivedAt: 0, repetition: () => 0 }) ?? [];
    if (!adapted) throw new Error("no event");
    const matched = ruleSet.match(fieldsOf(adapted.data), logsourceOf(adapted.data) ?? {});
    expect(matched.map(({ id }) => id)).toEqual(["00000000-0000-4000-8000-000000000001"]);
  },
);
