import { z } from "@hono/zod-openapi";

import { nameOf } from "../actor.ts";
import { operation } from "../operation.ts";

export const streamAlerts = operation({
  id: "streamAlerts",
  method: "get",
  path: "/stream",
  tag: "alerts",
  summary: "Follow changes",
  description:
    "Server-sent events that say which alerts changed. A client that comes back with `Last-Event-ID` misses nothing. It ends itself after 270 s.",
  scope: "viewer",
  answers: {
    200: { description: "The stream", content: { "text/event-stream": { schema: z.string() } } },
  },
  handle: ({ request, caller }, { stream }) => stream(request, nameOf(caller)),
});
