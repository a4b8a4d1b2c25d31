import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { alertRaised } from "../../events/contracts/alert-raised.ts";
import { parseEvent } from "../../events/envelope.ts";
import { mergeEmissions, toEmission } from "./alert.ts";
import { alertEvent } from "./emissions.testing.ts";

const at = Date.parse("2025-08-08T09:30:00Z");

describe("an alert event", () => {
  test("of the predecessor is read as it is: its clock, its N/A, no correlation id, no evidence", () => {
    const event = alertEvent({
      timestamp: "2025-08-08T09:30:00+00:00Z",
      triggered_by: { actor_type: "USER", actor_id: "root", client_ip: "N/A" },
      correlation_id: undefined,
    });
    const emission = toEmission(parseEvent([alertRaised], event));
    expect(emission).toMatchObject({ timestamp: at, firstSeen: at, lastSeen: at });
    expect(emission.columns.client_ip).toBeNull();
    expect(emission.correlation).toEqual({ id: null, time: at });
    expect(emission.columns.triggered_by_details).toMatchObject({ client_ip: "N/A" });
    expect(emission.evidence).toHaveLength(1);
  });

  test("without evidence counts one event however often it is delivered", () => {
    const first = toEmission(alertEvent({}, "one"));
    const again = toEmission(alertEvent({}, "two"));
    expect(again.evidence).toEqual(first.evidence);
    expect(again.groupId).toBe(first.groupId);
  });

  test("every example of the contract can be read", () => {
    for (const data of alertRaised.examples) {
      expect(() => toEmission(parseEvent([alertRaised], { ...alertEvent(), data }))).not.toThrow();
    }
  });

  test.for([
    ["10.1.2.3", "10.1.2.3"],
    ["2001:DB8::1", "2001:DB8::1"],
    ["::ffff:10.1.2.3", "::ffff:10.1.2.3"],
    ["N/A", null],
    ["", null],
    ["10.1.2.3/8", null],
    ["010.1.2.3", null],
    ["fe80::1%eth0", null],
    ["edge-2", null],
    [null, null],
    [undefined, null],
  ] as const)("the client address %s is kept as %s", ([client_ip, expected]) => {
    expect(toEmission(alertEvent({ triggered_by: { client_ip } })).columns.client_ip).toBe(expected);
  });

  test("its span reaches over its evidence and what it says it saw", () => {
    const event = alertEvent({
      timestamp: "2025-08-08T09:30:00Z",
      first_seen: "2025-08-08T09:29:00Z",
      last_seen: "2025-08-08T09:30:00Z",
      evidence: [{ source: "/s", id: "1", time: "2025-08-08T09:29:30.500Z" }],
    });
    expect(toEmission(event)).toMatchObject({ firstSeen: at - 60_000, lastSeen: at });
  });

  test.for([
    ["the rule", { analysis_rule: { rule_id: "other", rule_name: "Other" } }],
    ["the version of the rule", { rule_version: "v2" }],
    ["the group", { group_key: "other" }],
  ] as const)("%s sets its group apart", ([, change]) => {
    const known = { group_key: "1:a", rule_version: "v1" };
    expect(toEmission(alertEvent({ ...known, ...change })).groupId).not.toBe(
      toEmission(alertEvent(known)).groupId,
    );
  });

  test("an id in capitals is the same alert", () => {
    const event = alertEvent();
    const capitals = alertEvent({ alert_id: event.data.alert_id.toUpperCase() });
    expect(toEmission(capitals).alertId).toBe(toEmission(event).alertId);
  });

  const correlationIds = ["0d4f6f0e-5f0e-4a57-9d7e-0b9f6c1c7e01", "1d4f6f0e-5f0e-4a57-9d7e-0b9f6c1c7e01"];
  const emission = (second: number, count: number | undefined, correlation_id: string | undefined) => {
    const time = `2025-08-08T09:30:0${second}Z`;
    const evidence = [{ source: "/s", id: String(second), time }];
    const data = { timestamp: time, description: `${count} at ${second}`, count, evidence, correlation_id };
    return toEmission(alertEvent(data, JSON.stringify(data)));
  };

  test("is told by the emission that speaks of most events, and traced by its earliest evidence", () => {
    const early = emission(1, 3, correlationIds[1]);
    const full = emission(2, 10, correlationIds[0]);
    const merged = mergeEmissions(early, full);
    expect(merged).toMatchObject({
      timestamp: at + 1000,
      columns: { description: "10 at 2" },
      correlation: { id: correlationIds[1] },
    });
  });

  test("is the same whichever emission came first", () => {
    const any = fc
      .tuple(fc.integer({ min: 0, max: 2 }), fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }))
      .chain(([second, count]) =>
        fc.constantFrom(undefined, ...correlationIds).map((id) => emission(second, count, id)),
      );
    const plain = ({ evidence, event: _event, ...rest }: ReturnType<typeof mergeEmissions>) => ({
      ...rest,
      evidence: new Set(evidence.map((point) => JSON.stringify(point))),
    });
    fc.assert(
      fc.property(any, any, any, (a, b, c) => {
        const left = mergeEmissions(mergeEmissions(a, b), c);
        expect(plain(mergeEmissions(c, mergeEmissions(b, a)))).toEqual(plain(left));
      }),
    );
  });
});
