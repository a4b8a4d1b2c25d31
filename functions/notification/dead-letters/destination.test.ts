import { describe, expect, test } from "vitest";

import { toDestination } from "./destination.ts";
import { replaySettings } from "./settings.ts";

const hosts = replaySettings.parse({}).AUDITFLOW_REPLAY_HOSTS;
const kindOf = (origin: string, loopback = false) => toDestination(origin, { hosts, loopback }).kind;

describe("the destination of a dead letter", () => {
  test.for<[string, string]>([
    ["http://analysis.auditflow.svc.cluster.local/", "allowed"],
    ["http://ANALYSIS.auditflow.svc.cluster.local.:8080/a?b", "allowed"],
    ["https://analysis.auditflow.svc", "allowed"],
    ["http://analysis.auditflow.svc.evil.example/", "refused"],
    ["http://evilsvc/", "refused"],
    ["http://svc/", "refused"],
    ["http://169.254.169.254/latest/meta-data", "refused"],
    ["http://10.0.0.1/", "refused"],
    ["http://x@analysis.auditflow.svc/", "refused"],
    ["file:///etc/passwd", "refused"],
    ["unknown", "none"],
    ["", "none"],
  ])("%s is %s", ([origin, kind]) => {
    expect(kindOf(origin)).toBe(kind);
  });

  test.for([
    "http://127.0.0.1:1/",
    "http://127.9.9.9/",
    "http://localhost/",
    "http://a.localhost/",
    "http://[::1]:2/",
  ])("%s counts only for a process that listens on nothing else", (origin) => {
    expect(kindOf(origin)).toBe("refused");
    expect(kindOf(origin, true)).toBe("allowed");
    expect(toDestination(origin, { hosts: ["localhost", "127.0.0.1"], loopback: false }).kind).toBe(
      "refused",
    );
  });

  test("may be a host that was named", () => {
    const { AUDITFLOW_REPLAY_HOSTS: hosts } = replaySettings.parse({
      AUDITFLOW_REPLAY_HOSTS: " Receiver.example , .inner.example",
    });
    expect(hosts).toEqual(["receiver.example", ".inner.example"]);
    const kinds = ["receiver.example", "a.receiver.example", "a.inner.example", "inner.example"].map(
      (host) => toDestination(`http://${host}/`, { hosts, loopback: false }).kind,
    );
    expect(kinds).toEqual(["allowed", "refused", "allowed", "refused"]);
    expect(replaySettings.safeParse({ AUDITFLOW_REPLAY_HOSTS: "http://x/" }).success).toBe(false);
  });
});
