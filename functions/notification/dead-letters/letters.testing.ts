import { randomUUID } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";

import type { Event } from "../../../events/event.ts";
import { encodeBinary } from "../../../events/http.ts";
import { type DeadLetter, fromUndeliverable } from "./dead-letter.ts";

/** An audit event; other `data` makes it another one under the same id. */
export const auditEvent = (
  id: string = randomUUID(),
  data: unknown = { event_type: "user_login" },
): Event => ({
  specversion: "1.0",
  id,
  source: "/test",
  type: "io.auditflow.audit.recorded.v1",
  subject: undefined,
  time: "2026-11-21T12:00:00Z",
  datacontenttype: "application/json",
  dataschema: undefined,
  extensions: { traceparent: "00-11111111111111111111111111111111-1111111111111111-01" },
  data,
});

/** The dead letter of an event that a function refused. */
export function rejection(event: Event, change: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id: randomUUID(),
    kind: "rejected",
    code: "EVENT_DATA_INVALID",
    detail: "event_type: expected text",
    pointer: "/data/event_type",
    origin: "analysis",
    event: { source: event.source, id: event.id, type: event.type, time: event.time ?? null },
    truncated: false,
    digest: null,
    ...encodeBinary(event),
    ...change,
  };
}

interface Seen {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A subscriber on loopback that takes down what it gets and answers as it is told. */
export async function openSubscriber(answer: { status: number; event?: Event }) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      seen.push({ headers: request.headers, body: Buffer.concat(parts).toString() });
      const reply = answer.event && encodeBinary(answer.event);
      response.writeHead(answer.status, reply?.headers).end(reply?.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    seen,
    url: `http://127.0.0.1:${port}/deliver`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** The dead letter of an event that the broker could not deliver to an address. */
export function undeliverable(event: Event, destination: string): DeadLetter {
  const { headers, body } = encodeBinary(event);
  const notes = { "ce-knativeerrordest": destination, "ce-knativeerrorcode": "500" };
  return fromUndeliverable({ ...headers, ...notes }, body);
}
