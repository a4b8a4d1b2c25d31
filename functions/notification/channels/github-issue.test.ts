import { describe, expect, test } from "vitest";

import type { ChannelError } from "./channel.ts";
import { key, send } from "./incidents.testing.ts";
import { deliveryId, message, now, type Received, type Reply } from "./receiver.testing.ts";

describe("github-issue", () => {
  test("opens an issue whose first line, which is not shown, is the delivery's id", async () => {
    const { result, requests, bodies } = await send("github-issue");
    expect(result).toMatchObject({ status: 201 });
    expect(requests.map(({ method, path }) => `${method} ${path.split("?")[0]}`)).toEqual([
      "GET /repos/example/security/issues",
      "POST /repos/example/security/issues",
    ]);
    expect(requests[1]?.headers).toMatchObject({
      authorization: `Bearer ${key}`,
      accept: "application/vnd.github+json",
      "x-github-api-version": "2022-11-28",
      "user-agent": "auditflow",
    });
    expect(bodies[1]).toMatchObject({
      title: "◆ HIGH: Multiple failed logins",
      labels: ["security"],
    });
    expect(bodies[1].body.split("\n")[0]).toBe(`<!-- auditflow delivery ${deliveryId} -->`);
    expect(bodies[1].body).toContain(`[Open in AuditFlow](<${message.url}>)`);
  });

  test("a retry finds the issue of the attempt whose answer was lost, and opens no second one", async () => {
    const open: { number: number; body: string }[] = [];
    const github = ({ method, body }: Received): Reply => {
      if (method === "GET") return { status: 200, body: JSON.stringify(open) };
      open.unshift({ number: 41 + open.length, body: JSON.parse(body).body });
      return { status: 502, body: "the answer is lost" };
    };
    const first = await send("github-issue", message, { reply: github });
    expect(first.result).toMatchObject({ passing: true, status: 502 });
    // Somebody else's issues come in between.
    for (let number = 100; number < 140; number++) open.unshift({ number, body: "" });
    const pages = ({ method, path }: Received): Reply => {
      if (method !== "GET") return { status: 201 };
      const page = Number(new URL(path, "http://x").searchParams.get("page"));
      return { status: 200, body: JSON.stringify(open.slice((page - 1) * 30, page * 30)) };
    };
    const second = await send("github-issue", message, { reply: pages });
    expect(second.result).toEqual({ status: 200, response: "Issue 41 was opened by an earlier attempt." });
    expect(second.requests.map(({ method }) => method)).toEqual(["GET", "GET"]);
  });

  test("a list that cannot be read opens no issue", async () => {
    const { result, requests } = await send("github-issue", message, {
      reply: () => ({ status: 200, body: '[{"number": 1, "bo' }),
    });
    expect(result).toMatchObject({ name: "ChannelError", passing: true });
    expect(requests).toHaveLength(1);
  });

  test.for([
    [401, {}, false, undefined],
    [404, {}, false, undefined],
    [403, {}, false, undefined],
    [403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now / 1000 + 90) }, true, 90_000],
    [403, { "retry-after": "60" }, true, 60_000],
    [429, {}, true, undefined],
  ] as const)("%i with %j: may pass is %s", async ([status, headers, passing, retryAfterMs]) => {
    for (const failing of ["GET", "POST"]) {
      const { result } = await send("github-issue", message, {
        reply: ({ method }) => (method === failing ? { status, headers } : { status: 200, body: "[]" }),
      });
      expect(result).toMatchObject({ passing, status });
      expect((result as ChannelError).retryAfterMs).toBe(retryAfterMs);
    }
  });
});
