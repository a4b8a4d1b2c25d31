import { z } from "zod";

import { defineContract } from "../contract.ts";

/**
 * As much of a refused body as is kept. In base64 it stays well below the 1 MiB a function accepts, so
 * that the report of an event that was too large is not itself too large.
 */
export const maxRejectedBodyBytes = 512 * 1024;

const text = z.string().max(4096);

const refused = z
  .looseObject({ id: text.optional(), source: text.optional(), type: text.optional(), time: text.optional() })
  .describe("What could be read of the refused event's identity.");

const request = z
  .looseObject({
    headers: z.record(z.string(), z.string()).describe("The headers that carry CloudEvents attributes."),
    body_base64: z.base64().max(Math.ceil(maxRejectedBodyBytes / 3) * 4),
    truncated: z.boolean().optional().describe("The body was longer than what is kept."),
    digest: z
      .string()
      .regex(/^[0-9a-f]{64}$/, { error: "expected 64 hexadecimal digits" })
      .optional()
      .describe("Of a truncated event that could be read: what tells it from others of its source and id."),
  })
  .describe("The request as it came.");

/** Why an event can never be handled, and the event as it arrived. */
const data = z.looseObject({
  code: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,63}$/, { error: "expected a code such as EVENT_DATA_INVALID" })
    .describe("Stable code of the reason, one of those the README lists."),
  detail: text.describe("What is wrong, naming the value and what is allowed."),
  pointer: text
    .optional()
    .describe("JSON Pointer (RFC 6901) to the place in the event: /data/… or /<attribute>."),
  function: text.describe("The function that refused it."),
  event: refused,
  request,
});

export type EventRejected = z.infer<typeof data>;

export const eventRejected = defineContract({
  type: "io.auditflow.event.rejected.v1",
  description: "An event a function refused for ever, verbatim, and the reason.",
  data,
  examples: [
    {
      code: "EVENT_DATA_INVALID",
      detail: "event_type: Invalid input: expected string, received number",
      pointer: "/data/event_type",
      function: "analysis",
      event: { id: "e-1", source: "/my/app", type: "io.auditflow.audit.recorded.v1" },
      request: { headers: { "ce-id": "e-1" }, body_base64: "eyJldmVudF90eXBlIjo1fQ==" },
    },
  ],
});
