import { createHmac } from "node:crypto";
import { z } from "zod";

import { type ChannelDeps, defineChannel, type Outgoing, type Send } from "./channel.ts";
import { exchange, type Verdict } from "./exchange.ts";
import { checkSecretUrl, plainUrl, secretReference } from "./secret.ts";
import { timeoutSetting } from "./settings.ts";

const prefix = "whsec_";

/** Says what is wrong with a Standard Webhooks secret: base64 behind `whsec_`, 24 to 64 bytes. */
export function checkWebhookSecret(text: string): string | undefined {
  if (!/^whsec_[A-Za-z0-9+/]+={0,2}$/.test(text)) {
    return "must be whsec_ followed by base64 (Standard Webhooks)";
  }
  const { length } = keyOf(text);
  return length >= 24 && length <= 64 ? undefined : "must hold 24 to 64 bytes";
}

const settings = z.strictObject({
  url: z.union([plainUrl, secretReference]).meta({
    description: "where to POST; a reference when the address is a secret",
    examples: ["https://hooks.example/alerts"],
  }),
  secret: secretReference.meta({
    description: "what requests are signed with: whsec_ and base64",
    examples: [{ env: "SOC_WEBHOOK_SECRET" }],
  }),
  previous_secret: secretReference
    .optional()
    .meta({ description: "signs as well, while receivers learn a new secret" }),
  timeout_ms: timeoutSetting,
});

/**
 * Signed HTTP POSTs as Standard Webhooks describes them. 2xx is success; 410 says that the receiver is gone
 * for good; everything else may pass.
 */
export const webhook = defineChannel({
  type: "webhook",
  description: "Signed HTTP POSTs as Standard Webhooks describes them.",
  settings,
  open({ url, secret, previous_secret: previous, timeout_ms: timeoutMs }, deps) {
    const { secrets } = deps;
    const readUrl = typeof url === "string" ? () => url : secrets.open(url, checkSecretUrl);
    const readSecrets = [secret, ...(previous ? [previous] : [])].map((reference) =>
      secrets.open(reference, checkWebhookSecret),
    );
    return createWebhook({ readUrl, readSecrets, timeoutMs }, deps);
  },
});

interface Receiver {
  readonly readUrl: () => string;
  /** The current secret first. */
  readonly readSecrets: readonly (() => string)[];
  readonly timeoutMs: number;
}

/** The sender to one receiver. */
export function createWebhook({ readUrl, readSecrets, timeoutMs }: Receiver, deps: ChannelDeps): Send {
  return (outgoing, signal) => {
    const keys = { secrets: readSecrets.map((read) => read()), seconds: Math.floor(deps.now() / 1000) };
    const request = { url: readUrl(), ...toRequest(outgoing, keys), timeoutMs };
    return exchange({ request, signal, receiver: "The receiver", judge }, deps);
  };
}

/** Headers and body of one attempt; `seconds` is the time of the attempt, since the epoch. */
export function toRequest(
  { id, message }: Outgoing,
  { secrets, seconds }: { readonly secrets: readonly string[]; readonly seconds: number },
): { readonly headers: Record<string, string>; readonly body: string } {
  const body = JSON.stringify(message);
  return {
    headers: {
      "content-type": "application/json",
      "user-agent": "auditflow",
      "webhook-id": id,
      "webhook-timestamp": String(seconds),
      "webhook-signature": secrets.map((secret) => sign(`${id}.${seconds}.${body}`, secret)).join(" "),
    },
    body,
  };
}

/** The `webhook-signature` of signed content `id.timestamp.body`: HMAC-SHA256, version 1. */
export function sign(content: string, secret: string): string {
  return `v1,${createHmac("sha256", keyOf(secret)).update(content).digest("base64")}`;
}

function judge({ status }: { readonly status: number }): Verdict {
  if (status >= 200 && status <= 299) return "delivered";
  return status === 410 ? "permanent" : "passing";
}

function keyOf(secret: string): Buffer {
  return Buffer.from(secret.slice(prefix.length), "base64");
}
