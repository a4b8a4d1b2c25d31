import { createHmac } from "node:crypto";
import { z } from "zod";

import { urlSetting } from "../../../runtime/settings.ts";
import { ChannelError, defineChannel, type Outgoing } from "./channel.ts";

const prefix = "whsec_";

/** The key of a Standard Webhooks secret: base64 behind `whsec_`, 24 to 64 bytes. */
const secret = z
  .string()
  .trim()
  .regex(/^whsec_[A-Za-z0-9+/]+={0,2}$/, {
    error: "must be whsec_ followed by base64 (Standard Webhooks)",
  })
  .refine((text) => keyBytes(text) >= 24 && keyBytes(text) <= 64, { error: "must hold 24 to 64 bytes" });

const settings = z
  .object({
    AUDITFLOW_WEBHOOK_URL: urlSetting({
      schemes: ["http", "https"],
      example: "https://hooks.example/alerts",
    }).optional(),
    AUDITFLOW_WEBHOOK_SECRET: secret.optional(),
    AUDITFLOW_WEBHOOK_TIMEOUT_MS: z.coerce.number().int().min(100).max(15_000).default(10_000),
  })
  .refine((env) => env.AUDITFLOW_WEBHOOK_URL === undefined || env.AUDITFLOW_WEBHOOK_SECRET !== undefined, {
    path: ["AUDITFLOW_WEBHOOK_SECRET"],
    error: "is required with AUDITFLOW_WEBHOOK_URL: webhooks are signed",
    // Also when another setting is wrong, so that all problems are reported together.
    when: ({ issues }) => !issues.some(({ path }) => path?.[0] === "AUDITFLOW_WEBHOOK_SECRET"),
  });

/** Signed HTTP POSTs as Standard Webhooks describes them; off unless AUDITFLOW_WEBHOOK_URL is set. */
export const webhook = defineChannel({
  type: "webhook",
  settings,
  open(env, { now }) {
    const { AUDITFLOW_WEBHOOK_URL: url, AUDITFLOW_WEBHOOK_SECRET: secret } = env;
    if (url === undefined || secret === undefined) return undefined;
    return async (outgoing, signal) => {
      const timeout = AbortSignal.timeout(env.AUDITFLOW_WEBHOOK_TIMEOUT_MS);
      const response = await fetch(url, {
        ...toRequest(outgoing, { secret, seconds: Math.floor(now() / 1000) }),
        method: "POST",
        // A redirect would carry the signed message to an address nobody configured.
        redirect: "manual",
        signal: AbortSignal.any([signal, timeout]),
      });
      // Drained, so that the connection can be used again.
      await response.body?.cancel();
      if (!response.ok) throw refused(response.status);
    };
  },
});

/** Headers and body of one attempt; `seconds` is the time of the attempt, since the epoch. */
export function toRequest(
  { id, message }: Outgoing,
  { secret, seconds }: { readonly secret: string; readonly seconds: number },
): { readonly headers: Record<string, string>; readonly body: string } {
  const body = JSON.stringify(message);
  return {
    headers: {
      "content-type": "application/json",
      "user-agent": "auditflow",
      "webhook-id": id,
      "webhook-timestamp": String(seconds),
      "webhook-signature": sign(`${id}.${seconds}.${body}`, secret),
    },
    body,
  };
}

/** The `webhook-signature` of signed content `id.timestamp.body`: HMAC-SHA256, version 1. */
export function sign(content: string, secret: string): string {
  const key = Buffer.from(secret.slice(prefix.length), "base64");
  return `v1,${createHmac("sha256", key).update(content).digest("base64")}`;
}

/** 410 says the receiver is gone for good; everything else may pass, as Standard Webhooks advises. */
function refused(status: number): ChannelError {
  return new ChannelError(`The receiver answered ${status}.`, status !== 410);
}

function keyBytes(text: string): number {
  return Buffer.from(text.slice(prefix.length), "base64").length;
}
