import { z } from "zod";

import { defineContract } from "../contract.ts";

const text = z.string().max(4096);

const data = z.looseObject({
  delivery_id: text.min(1).describe("The same for every attempt to tell this channel of this alert."),
  alert_id: z.uuid({ error: "expected a UUID" }),
  channel: text.min(1).describe("The channel's name in the configuration."),
  channel_type: text.optional().describe("The kind of channel: webhook, console, …"),
  attempt: z.int().positive().describe("Which attempt succeeded, from 1."),
  delivered_at: z.iso.datetime({ offset: true, error: "expected an RFC 3339 date and time" }),
  duration_ms: z.number().nonnegative().optional().describe("How long the attempt took."),
  receipt: text.nullish().describe("What the receiver answered to find the message again, such as its id."),
});

export type NotificationDelivered = z.infer<typeof data>;

export const notificationDelivered = defineContract({
  type: "io.auditflow.notification.delivered.v1",
  description: "One channel was told of one alert.",
  data,
  examples: [
    {
      delivery_id: "f3c1b2c0-1f6e-5a8e-9f43-2c8f3f1a7d10",
      alert_id: "9b0c7f0a-7a44-5a0e-8f6a-6a0d8f1d2c3b",
      channel: "on-call",
      channel_type: "webhook",
      attempt: 1,
      delivered_at: "2026-11-21T12:00:06.250Z",
      duration_ms: 41.5,
    },
  ],
});
