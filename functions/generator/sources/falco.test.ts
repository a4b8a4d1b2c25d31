import { describe, expect, test } from "vitest";

import { adaptOne, meta } from "./adapting.testing.ts";
import { falco } from "./falco.ts";

const shell = {
  hostname: "worker-2",
  output: "11:30:01.000000001: Notice A shell was spawned in a container (user=root container=till)",
  output_fields: {
    "container.name": "till",
    "evt.time": 1_795_260_601_000_000_000,
    "k8s.pod.name": "till-1",
    "proc.cmdline": "sh -c id",
    "user.name": "root",
    "fd.cip": "198.51.100.9",
  },
  priority: "Notice",
  rule: "Terminal shell in container",
  source: "syscall",
  tags: ["container", "shell"],
  time: "2026-11-21T11:30:01.000000001Z",
};

describe("an alert of Falco", () => {
  test("keeps its time and every word", () => {
    const event = adaptOne(falco, shell);
    expect(event).toEqual({
      source: "/auditflow/source/falco",
      id: event.id,
      time: Date.parse("2026-11-21T11:30:01Z"),
      data: {
        event_id: event.id,
        source_service: "falco",
        server_hostname: "worker-2",
        event_type: "falco.syscall",
        severity: "Notice",
        user_id: "root",
        client_ip: "198.51.100.9",
        resource: "till-1",
        details: { reason: shell.rule, message: shell.output },
        logsource: { product: "falco", service: "syscall" },
        original: shell,
      },
    });
  });

  test("of Falcosidekick has an id of its own", () => {
    expect(adaptOne(falco, { ...shell, uuid: "0a1b" }).id).toBe("0a1b");
  });

  test("about the audit log of a cluster names it", () => {
    const alert = {
      ...shell,
      source: "k8s_audit",
      output_fields: { "ka.user.name": "ana", "ka.target.name": "vault" },
    };
    expect(adaptOne(falco, alert).data).toMatchObject({
      event_type: "falco.k8s_audit",
      user_id: "ana",
      resource: "vault",
      logsource: { product: "falco", service: "k8s_audit" },
    });
  });

  test.for([
    ["without a rule", { ...shell, rule: undefined }],
    ["without a time", { ...shell, time: undefined }],
    ["that is the plain text of one", shell.output],
  ] as const)("%s is refused", ([, record]) => {
    expect(() => falco.adapt(record, meta())).toThrow(/expected an alert with "rule"/);
  });
});
