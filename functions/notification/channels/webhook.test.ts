import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";

import { parseConfig } from "../../../runtime/config.ts";
import type { Log } from "../../../runtime/log.ts";
import type { Message } from "./channel.ts";
import { channelSettings, openEnvironmentChannels } from "./environment.ts";
import { sendThrough } from "./receiver.testing.ts";
import { sign, toRequest } from "./webhook.ts";

const secretOf = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString("base64")}`;

const message: Message = {
  type: "alert.raised",
  timestamp: "2026-11-21T12:00:05.000Z",
  data: { alert_id: "a-1", alert_name: "Multiple failed logins", severity: "HIGH", count: 3 },
};

/** A receiver that answers with `status` and remembers what it was sent. */
async function openReceiver(status: number, headers: Record<string, string> = {}) {
  const requests: { readonly headers: IncomingMessage["headers"]; readonly body: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      requests.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      if (status > 0) response.writeHead(status, headers).end("thanks");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function openWebhook(env: Record<string, string>) {
  const settings = parseConfig(channelSettings, { AUDITFLOW_WEBHOOK_SECRET: secretOf(32), ...env });
  return openEnvironmentChannels(settings, { now: () => 1_700_000_000_999, log: {} as Log }).get("webhook")
    ?.send;
}

describe("signed webhooks", () => {
  test("the signature is the one Standard Webhooks publishes for its example", () => {
    const secret = ["whsec", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"].join("_");
    expect(sign('msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}', secret)).toBe(
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    );
  });

  test("a receiver can check what it was sent with the secret alone", async () => {
    await using receiver = await openReceiver(204);
    await openWebhook({ AUDITFLOW_WEBHOOK_URL: receiver.url })?.(
      { id: "m-1", message },
      AbortSignal.timeout(5000),
    );
    const [request] = receiver.requests;
    expect(request?.headers["webhook-id"]).toBe("m-1");
    expect(request?.headers["webhook-timestamp"]).toBe("1700000000");
    expect(request?.headers["content-type"]).toBe("application/json");
    expect(request?.headers["webhook-signature"]).toBe(sign(`m-1.1700000000.${request?.body}`, secretOf(32)));
    expect(JSON.parse(request?.body ?? "")).toEqual(message);
  });

  test("a later attempt has the same id and body and a signature of its own time", () => {
    const first = toRequest({ id: "m-1", message }, { secrets: [secretOf(32)], seconds: 1 });
    const second = toRequest({ id: "m-1", message }, { secrets: [secretOf(32)], seconds: 2 });
    expect(second.body).toBe(first.body);
    expect(second.headers["webhook-id"]).toBe(first.headers["webhook-id"]);
    expect(second.headers["webhook-signature"]).not.toBe(first.headers["webhook-signature"]);
  });

  test.for([
    [500, { passing: true }],
    [404, { passing: true }],
    [302, { passing: true }],
    [410, { passing: false }],
  ] as const)("an answer of %i is a failure, and a redirect is not followed", async ([status, expected]) => {
    await using receiver = await openReceiver(status, { location: "http://127.0.0.1:1/elsewhere" });
    const send = openWebhook({ AUDITFLOW_WEBHOOK_URL: receiver.url });
    await expect(send?.({ id: "m-1", message }, AbortSignal.timeout(5000))).rejects.toMatchObject({
      name: "ChannelError",
      ...expected,
    });
    expect(receiver.requests).toHaveLength(1);
  });

  test("a channel of a routes file signs with the new secret and the previous one", async () => {
    await using receiver = await openReceiver(204);
    const settings = { url: { env: "URL" }, secret: { env: "NEW" }, previous_secret: { env: "OLD" } };
    const env = { URL: receiver.url, NEW: secretOf(32), OLD: secretOf(24) };
    await sendThrough("webhook", settings, { env, sent: message });
    const [request] = receiver.requests;
    const { "webhook-id": id, "webhook-timestamp": timestamp } = request?.headers ?? {};
    const content = `${String(id)}.${String(timestamp)}.${request?.body}`;
    expect(request?.headers["webhook-signature"]).toBe(
      `${sign(content, secretOf(32))} ${sign(content, secretOf(24))}`,
    );
  });

  test("a receiver that never answers is a failure after the timeout", async () => {
    await using receiver = await openReceiver(0);
    const send = openWebhook({ AUDITFLOW_WEBHOOK_URL: receiver.url, AUDITFLOW_WEBHOOK_TIMEOUT_MS: "100" });
    await expect(send?.({ id: "m-1", message }, AbortSignal.timeout(20_000))).rejects.toMatchObject({
      name: "TimeoutError",
    });
  });

  test.for([
    ["no secret", { AUDITFLOW_WEBHOOK_SECRET: "" }, "AUDITFLOW_WEBHOOK_SECRET"],
    ["a secret without its prefix", { AUDITFLOW_WEBHOOK_SECRET: "abcdefgh" }, "whsec_"],
    ["a short secret", { AUDITFLOW_WEBHOOK_SECRET: secretOf(8) }, "24 to 64"],
    ["a URL of another scheme", { AUDITFLOW_WEBHOOK_URL: "ftp://receiver/" }, "AUDITFLOW_WEBHOOK_URL"],
    ["a timeout beyond the lease", { AUDITFLOW_WEBHOOK_TIMEOUT_MS: "60000" }, "AUDITFLOW_WEBHOOK_TIMEOUT_MS"],
  ] as const)("%s is refused by name", ([, env, named]) => {
    expect(() => openWebhook({ AUDITFLOW_WEBHOOK_URL: "http://receiver.example/", ...env })).toThrow(named);
  });

  test("without a URL the channel is off", () => {
    expect(openWebhook({ AUDITFLOW_WEBHOOK_SECRET: "" })).toBeUndefined();
  });
});
