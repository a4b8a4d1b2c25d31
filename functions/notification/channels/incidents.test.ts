import { describe, expect, test } from "vitest";

import type { Message } from "./channel.ts";
import { key, resolved, send } from "./incidents.testing.ts";
import { alert, deliveryId, groupOf, message, now } from "./receiver.testing.ts";

describe("pagerduty", () => {
  test("triggers an event of the alert", async () => {
    const { result, requests, bodies } = await send("pagerduty");
    expect(result).toMatchObject({ status: 202 });
    expect(requests).toMatchObject([{ method: "POST", path: "/v2/enqueue" }]);
    expect(requests[0]?.headers["content-type"]).toBe("application/json");
    expect(bodies).toEqual([
      {
        routing_key: key,
        event_action: "trigger",
        dedup_key: alert.alert_id,
        client: "AuditFlow",
        client_url: message.url,
        links: [{ href: message.url, text: "Open in AuditFlow" }],
        payload: {
          summary: "Multiple failed logins",
          source: "bastion-1",
          severity: "error",
          timestamp: alert.last_seen,
          class: "ssh-bruteforce",
          custom_details: expect.objectContaining({
            Actor: "root",
            Events: "10",
            Description: alert.description,
          }),
        },
      },
    ]);
  });

  test.for([
    ["CRITICAL", "critical"],
    ["HIGH", "error"],
    ["MEDIUM", "warning"],
    ["LOW", "info"],
    ["INFORMATIONAL", "info"],
    ["unheard of", "info"],
  ] as const)("%s is %s", async ([severity, expected]) => {
    const { bodies } = await send("pagerduty", { ...message, data: { ...alert, severity } });
    expect(bodies[0].payload.severity).toBe(expected);
  });

  test("a resolved alert resolves, a known one that is acknowledged acknowledges, by the same key", async () => {
    expect((await send("pagerduty", resolved)).bodies).toEqual([
      { routing_key: key, event_action: "resolve", dedup_key: alert.alert_id },
    ]);
    const acknowledged: Message = {
      ...message,
      type: "alert.repeated",
      data: { ...alert, status: "acknowledged" },
    };
    expect((await send("pagerduty", acknowledged)).bodies).toMatchObject([
      { event_action: "acknowledge", dedup_key: alert.alert_id },
    ]);
  });

  test("a group is an event for each of its first ten alerts, and one for the rest", async () => {
    const keysOf = async (sent: Message): Promise<readonly string[]> => {
      const { bodies } = await send("pagerduty", sent);
      return bodies.map(({ event_action, dedup_key }) => `${event_action} ${dedup_key}`).toSorted();
    };
    const raised = await keysOf(groupOf(12));
    expect(new Set(raised).size).toBe(11);
    expect(raised.every((key) => key.startsWith("trigger "))).toBe(true);
    expect(await keysOf(groupOf(12))).toEqual(raised);
    expect(await keysOf(groupOf(3))).toHaveLength(3);
    // Whatever was opened is closed.
    const ended = await keysOf({ ...groupOf(12), type: "alert.resolved" });
    for (const key of raised) expect(ended).toContain(key.replace("trigger", "resolve"));
    expect(ended).toHaveLength(13);
  });

  test("a title of a template is cut to what a summary can have", async () => {
    const template = { title: "x".repeat(5000) };
    const { bodies } = await send("pagerduty", message, { more: { template } });
    expect(bodies[0].payload.summary).toBe(`${"x".repeat(1023)}…`);
  });

  test("a digest is one event", async () => {
    const { bodies } = await send("pagerduty", { ...groupOf(3), type: "alert.digest" });
    const line = expect.any(String);
    expect(bodies).toMatchObject([
      { dedup_key: deliveryId, payload: { custom_details: { Alerts: [line, line, line] } } },
    ]);
  });

  test("a failure in the middle of a group fails the attempt", async () => {
    const { result, requests } = await send("pagerduty", groupOf(10), {
      reply: (_received, index) => ({ status: index === 2 ? 429 : 202 }),
    });
    expect(result).toMatchObject({ passing: true, status: 429 });
    expect(requests.length).toBeLessThanOrEqual(5);
  });
});

describe("opsgenie", () => {
  test("creates an alert by its alias", async () => {
    const { requests, bodies } = await send("opsgenie");
    expect(requests).toMatchObject([{ method: "POST", path: "/v2/alerts" }]);
    expect(requests[0]?.headers.authorization).toBe(`GenieKey ${key}`);
    expect(bodies[0]).toMatchObject({
      message: "Multiple failed logins",
      alias: alert.alert_id,
      priority: "P2",
      entity: "bastion-1",
      tags: ["auditflow", "attack.t1110"],
      responders: [{ type: "team", name: "soc" }],
      details: { Actor: "root" },
    });
    expect(bodies[0].description).toContain(alert.description);
    expect(bodies[0].description).toContain(message.url);
  });

  test("closes and acknowledges by the same alias", async () => {
    const path = `/v2/alerts/${alert.alert_id}`;
    expect((await send("opsgenie", resolved)).requests).toMatchObject([
      { path: `${path}/close?identifierType=alias` },
    ]);
    const acknowledged: Message = {
      ...message,
      type: "alert.repeated",
      data: { ...alert, status: "acknowledged" },
    };
    expect((await send("opsgenie", acknowledged)).requests).toMatchObject([
      { path: `${path}/acknowledge?identifierType=alias` },
    ]);
  });
});

describe("alertmanager", () => {
  test("pushes labels, annotations and times", async () => {
    const { requests, bodies } = await send("alertmanager");
    expect(requests).toMatchObject([{ method: "POST", path: "/api/v2/alerts" }]);
    expect(requests[0]?.headers.authorization).toBe(`Bearer ${key}`);
    expect(bodies[0]).toEqual([
      {
        labels: {
          team: "soc",
          alertname: "Multiple failed logins",
          severity: "high",
          alert_id: alert.alert_id,
          rule_id: "ssh-bruteforce",
          actor: "root",
          host: "bastion-1",
          client_ip: "203.0.113.9",
        },
        annotations: {
          summary: "◆ HIGH: Multiple failed logins",
          description: alert.description,
          events: "10",
        },
        startsAt: alert.first_seen,
        endsAt: new Date(now + 3_600_000).toISOString(),
        generatorURL: message.url,
      },
    ]);
  });

  test("a resolved alert has ended, under the same labels", async () => {
    const [[raised], [ended]] = [
      (await send("alertmanager")).bodies[0],
      (await send("alertmanager", resolved)).bodies[0],
    ];
    expect(ended.labels).toEqual(raised.labels);
    expect(ended.endsAt).toBe(message.timestamp);
  });

  test("a group is one request, and no end is before its beginning", async () => {
    const late = { ...groupOf(3), type: "alert.resolved", timestamp: "2020-01-01T00:00:00.000Z" } as const;
    const { bodies } = await send("alertmanager", late);
    expect(bodies).toHaveLength(1);
    expect(bodies[0]).toHaveLength(3);
    for (const { startsAt, endsAt } of bodies[0]) expect(endsAt >= startsAt).toBe(true);
  });
});
