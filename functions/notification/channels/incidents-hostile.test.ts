import { describe, expect, test } from "vitest";

import { key, resolved, send, settingsOf, type Type } from "./incidents.testing.ts";
import { groupOf, hostileAlert, hostileTexts, message } from "./receiver.testing.ts";

const types = Object.keys(settingsOf) as readonly Type[];

describe.for(types.map((type) => [type] as const))("%s", ([type]) => {
  test.for([
    [400, false],
    [401, false],
    [422, false],
    [302, false],
    [408, true],
    [429, true],
    [500, true],
    [503, true],
  ] as const)("an answer of %i: may pass is %s", async ([status, passing]) => {
    const { result } = await send(type, message, {
      reply: () => ({ status, headers: { "retry-after": "5" }, body: `key ${key} is wrong` }),
    });
    expect(result).toMatchObject({
      name: "ChannelError",
      status,
      passing,
      retryAfterMs: 5000,
      response: "key (secret) is wrong",
    });
  });

  test.for(hostileTexts.map((text) => [text.slice(0, 40), text] as const))(
    "hostile text stays text: %j",
    async ([, text]) => {
      for (const sent of [
        { ...message, data: hostileAlert(text), url: "javascript:alert(1)" },
        { ...groupOf(3), data: hostileAlert(text), alerts: [hostileAlert(text), hostileAlert(text)] },
        { ...resolved, data: hostileAlert(text) },
      ]) {
        const { result, bodies, requests } = await send(type, sent);
        expect(result).not.toBeInstanceOf(Error);
        for (const { headers } of requests) expect(headers["x-injected"]).toBeUndefined();
        if (type !== "cloudevent-sink") for (const body of bodies) checks[type](body as never);
      }
    },
  );
});

/** What each vendor documents, of any message. */
const checks: Record<Exclude<Type, "cloudevent-sink">, (body: never) => void> = {
  pagerduty({ dedup_key, payload }: { dedup_key: string; payload?: { summary: string; source: string } }) {
    expect(dedup_key.length).toBeLessThanOrEqual(255);
    if (!payload) return;
    expect(payload.summary.length).toBeGreaterThan(0);
    expect(payload.summary.length).toBeLessThanOrEqual(1024);
    expect(payload.source.length).toBeGreaterThan(0);
    expect(JSON.stringify(payload).length).toBeLessThan(500_000);
  },
  opsgenie(body: { message?: string; description: string; tags: readonly string[]; entity?: string }) {
    if (body.message === undefined) return;
    expect(body.message.length).toBeGreaterThan(0);
    expect(body.message.length).toBeLessThanOrEqual(130);
    expect(body.description.length).toBeLessThanOrEqual(15_000);
    expect(body.entity?.length ?? 0).toBeLessThanOrEqual(512);
    expect(body.tags.length).toBeLessThanOrEqual(20);
    for (const tag of body.tags) expect(tag.length).toBeLessThanOrEqual(50);
    expect(JSON.stringify(body)).not.toContain("javascript:");
  },
  alertmanager(alerts: readonly { labels: Record<string, string>; generatorURL?: string }[]) {
    for (const { labels, generatorURL } of alerts) {
      expect(generatorURL ?? "").not.toMatch(/^javascript/);
      for (const [name, value] of Object.entries(labels)) {
        expect(name).toMatch(/^[a-zA-Z_][a-zA-Z0-9_]*$/);
        expect(value).not.toBe("");
        expect(value).not.toMatch(/\p{Cc}/v);
      }
    }
  },
  "github-issue"(body: undefined | { title: string; body: string }) {
    if (body === undefined) return;
    expect(body.title.length).toBeGreaterThan(0);
    expect(body.title.length).toBeLessThanOrEqual(256);
    expect(body.body.length).toBeLessThanOrEqual(65_536);
    // Nothing of the alert is outside of the code block, which no line of the alert ends.
    const [marker, open = "", ...lines] = body.body.split("\n");
    expect(marker).toMatch(/^<!-- auditflow delivery [0-9a-f-]{36} -->$/);
    const [, fence = ""] = /^(`{3,})text$/.exec(open) ?? [];
    const end = lines.findIndex((line) => /^ {0,3}`+\s*$/.test(line) && line.trim().length >= fence.length);
    expect(lines[end]).toBe(fence);
    expect(lines.slice(end + 1).join("\n")).toMatch(/^(?:\n\[Open in AuditFlow\]\(<[^<>]*>\))?$/);
  },
};
