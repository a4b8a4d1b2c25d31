import { z } from "zod";

import { defineContract } from "../contract.ts";

const text = z.string().max(4096);

/** Why an event can never be handled, and the event as it arrived. */
const data = z.looseObject({
  /** Stable code of the reason, one of those the README lists. */
  code: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
  /** What is wrong, naming the value and what is allowed. */
  detail: text,
  /** JSON Pointer (RFC 6901) to the place in the event: `/data/…` or `/<attribute>`. */
  pointer: text.optional(),
  /** The function that refused it. */
  function: text,
  /** What could be read of the refused event's identity. */
  event: z.object({
    id: text.optional(),
    source: text.optional(),
    type: text.optional(),
    time: text.optional(),
  }),
  /** The request as it came: headers that carry CloudEvents attributes, and the body, base64. */
  request: z.object({
    headers: z.record(z.string(), z.string()),
    body_base64: z.string(),
    /** True when the body was longer than what is kept. */
    truncated: z.boolean().optional(),
  }),
});

export type EventRejected = z.infer<typeof data>;

export const eventRejected = defineContract({
  type: "io.auditflow.event.rejected.v1",
  description: "An event a function refused for ever, verbatim, and the reason.",
  data,
  examples: [
    {
      code: "EVENT_DATA_INVALID",
      detail: 'event_type: expected text such as "user_login", got number',
      pointer: "/data/event_type",
      function: "analysis",
      event: { id: "e-1", source: "/my/app", type: "io.auditflow.audit.recorded.v1" },
      request: { headers: { "ce-id": "e-1" }, body_base64: "eyJldmVudF90eXBlIjo1fQ==" },
    },
  ],
});
