import { describe, expect, test } from "vitest";

import { ocsfCategories, ocsfClasses } from "./ocsf.ts";
import { asserts, knownFieldsOf, ocsfClassOf, sourceDescriptions } from "./registry.ts";

test("every source has a name of its own, and a log source nobody else asserts as a whole", () => {
  const names = sourceDescriptions.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const logsources = sourceDescriptions.map(({ logsource }) => JSON.stringify(logsource));
  expect(new Set(logsources).size).toBe(logsources.length);
});

test("every name that is mapped is known, and what it is mapped to leads somewhere that is known too", () => {
  const unknown = sourceDescriptions.flatMap(({ name, logsource, fields, variants = [] }) =>
    [{ logsource, fields }, ...variants].flatMap((part) => {
      const known = knownFieldsOf({ ...logsource, ...part.logsource });
      return Object.entries(part.fields ?? {})
        .flatMap(([field, paths]) => [field, ...[paths].flat()])
        .filter((field) => known?.has(field) !== true)
        .map((field) => `${name}: ${field}`);
    }),
  );
  expect(unknown).toEqual([]);
});

describe("a log source", () => {
  test.for([
    [{ product: "linux" }, true],
    [{ product: "Linux", category: "Process_Creation" }, true],
    [{ category: "file_event" }, true],
    [{ category: "network_connection" }, false],
    [{ product: "linux", service: "sshd" }, false],
    [{}, true],
  ] as const)("with two categories asserts %o: %o", ([stated, expected]) => {
    const asserted = { product: "linux", service: "auditd", category: ["process_creation", "file_event"] };
    expect(asserts(asserted, stated)).toBe(expected);
  });
});

describe("the fields of a log source", () => {
  test.for([
    [{ product: "aws", service: "cloudtrail" }, "requestParameters.ipPermissions.items.cidrIp", true],
    [{ product: "aws", service: "cloudtrail" }, "requestParameters", true],
    [{ product: "aws", service: "cloudtrail" }, "requestParametersOfNobody", false],
    [{ product: "aws", service: "cloudtrail" }, "EventName", false],
    [{ product: "aws" }, "eventName", true],
    [{ product: "gcp", service: "gcp.audit" }, "data.protoPayload.resource.type", true],
    [{ product: "linux", category: "process_creation" }, "CommandLine", true],
    [{ product: "linux", category: "process_creation" }, "cs-method", false],
    [{ service: "nginx" }, "cs-uri-query", true],
    [{ category: "webserver" }, "src_ip", true],
    [{ category: "authentication" }, "details.reason", true],
  ] as const)("%o may be asked for %s: %o", ([logsource, field, expected]) => {
    expect(knownFieldsOf(logsource)?.has(field)).toBe(expected);
  });

  test.for([
    { product: "windows" },
    { product: "windows", category: "process_creation" },
    { product: "aws", service: "okta" },
    { service: "vsftpd" },
  ])("of nobody described here, such as %o, are not known", (logsource) => {
    expect(knownFieldsOf(logsource)).toBeUndefined();
  });
});

describe("the OCSF class of an event", () => {
  const aws = { product: "aws", service: "cloudtrail" };
  const auditd = { product: "linux", service: "auditd", category: ["process_creation"] };

  test.for([
    ["user_login", undefined, "FAILURE", 300201],
    ["service_status_change", undefined, "STOPPED", 600204],
    ["service_status_change", undefined, "MODIFIED", 600200],
    ["file_modified", undefined, "MODIFIED", 100103],
    ["sudo_command", undefined, undefined, 100701],
    ["user_account_management", undefined, "created", 300101],
    ["of_nobody", undefined, undefined, 0],
    ["cloudtrail.ConsoleLogin", aws, "FAILURE", 300201],
    ["cloudtrail.DescribeInstances", aws, undefined, 600302],
    ["cloudtrail.AssumeRole", aws, undefined, 600300],
    [
      "kubernetes.deletecollection",
      { product: "kubernetes", category: "application", service: "audit" },
      undefined,
      600304,
    ],
    ["okta.user.session.start", { product: "okta", service: "okta" }, undefined, 300201],
    ["okta.user.session.end", { product: "okta", service: "okta" }, undefined, 300202],
    ["gcp.v1.compute.budgets", { product: "gcp", service: "gcp.audit" }, undefined, 600300],
    ["gcp.storage.buckets.delete", { product: "gcp", service: "gcp.audit" }, undefined, 600304],
    ["azure.vaults.delete", { product: "azure", service: "activitylogs" }, undefined, 600304],
    ["auditd.execve", auditd, "SUCCESS", 100701],
    ["auditd.config_change", { product: "linux", service: "auditd" }, undefined, 0],
    ["falco.syscall", { product: "falco", service: "syscall" }, undefined, 200401],
    ["web.post", { category: "webserver" }, undefined, 400206],
    ["web.propfind", { category: "webserver" }, undefined, 400200],
    ["github.org.add_member", { product: "github", service: "audit" }, undefined, 300603],
    ["github.push", { product: "github", service: "webhook" }, undefined, 600303],
    ["user_login", { product: "linux", category: "authentication", service: "sshd" }, "SUCCESS", 300201],
  ] as const)("of type %s of %o with result %s is %i", ([event_type, logsource, action_result, type_uid]) => {
    const found = ocsfClassOf({
      event_type,
      action_result,
      ...(logsource ? { logsource: structuredClone(logsource) } : {}),
    });
    expect(found.type_uid).toBe(type_uid);
    expect(found.class_uid).toBe(Math.floor(type_uid / 100));
    expect(found.category_uid).toBe(Math.floor(type_uid / 100_000));
  });

  test("has the names OCSF gives it", () => {
    expect(ocsfClassOf({ event_type: "user_login" })).toEqual({
      category_uid: 3,
      category_name: "Identity & Access Management",
      class_uid: 3002,
      class_name: "Authentication",
      activity_id: 1,
      activity_name: "Logon",
      type_uid: 300201,
    });
  });

  test("is of a category OCSF has", () => {
    for (const { uid } of Object.values(ocsfClasses))
      expect(ocsfCategories.has(Math.floor(uid / 1000))).toBe(true);
  });
});
