import { z } from "zod";

import { defineContract } from "../contract.ts";

const text = z.string().max(4096);
const instant = z.iso.datetime({ offset: true, error: "expected an RFC 3339 date and time" });

const data = z.looseObject({
  delivery_id: text.min(1).describe("The same for every attempt to tell this channel of this alert."),
  alert_id: z.uuid({ error: "expected a UUID" }),
  channel: text.min(1).describe("The channel's name in the configuration."),
  channel_type: text.optional().describe("The kind of channel: webhook, console, …"),
  attempt: z.int().positive().describe("Which attempt failed, from 1."),
  failed_at: instant,
  code: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/, { error: "expected a code such as CHANNEL_REFUSED" }),
  detail: text.describe("What the channel answered, without secrets."),
  status: z.int().min(100).max(599).optional().describe("HTTP status of the answer, where there was one."),
  final: z.boolean().describe("No further attempt will be made."),
  next_attempt_at: instant.nullish(),
});

export type NotificationFailed = z.infer<typeof data>;

export const notificationFailed = defineContract({
  type: "io.auditflow.notification.failed.v1",
  description: "One attempt to tell one channel of one alert failed.",
  data,
  examples: [
    {
      delivery_id: "f3c1b2c0-1f6e-5a8e-9f43-2c8f3f1a7d10",
      alert_id: "9b0c7f0a-7a44-5a0e-8f6a-6a0d8f1d2c3b",
      channel: "on-call",
      channel_type: "webhook",
      attempt: 1,
      failed_at: "2026-11-21T12:00:11.250Z",
      code: "CHANNEL_UNAVAILABLE",
      detail: "The receiver answered 503.",
      status: 503,
      final: false,
      next_attempt_at: "2026-11-21T12:00:13.250Z",
    },
  ],
});
