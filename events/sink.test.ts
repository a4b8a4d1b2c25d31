import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";

import type { Event } from "./event.ts";
import { decodeRequest } from "./http.ts";
import { createSink, SinkError, waitMs } from "./sink.ts";

const event: Event = {
  specversion: "1.0",
  id: "e-1",
  source: "/a",
  type: "t",
  datacontenttype: "application/json",
  extensions: { own: "1" },
  data: { a: 1 },
};

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A broker's ingress that gives these answers in turn, the last for ever, and keeps what it was sent. */
async function openIngress(...answers: readonly (number | Answer)[]) {
  const received: Event[] = [];
  const sockets = new Set<unknown>();
  const server = createServer((request, response) => {
    sockets.add(request.socket);
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push(decodeRequest({ headers: request.headers, body: Buffer.concat(chunks) }));
      const answer = answers[Math.min(received.length, answers.length) - 1] ?? 202;
      if (typeof answer === "number") response.writeHead(answer).end("thank you");
      else answer(request, response);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    received,
    sockets,
    server,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const options = { timeoutMs: 5000, attempts: 4, backoffMs: 1 };

describe("the sink", () => {
  test("sends each event in binary mode and resolves when all are confirmed", async () => {
    await using ingress = await openIngress(202);
    const events = Array.from({ length: 40 }, (_, index) => ({ ...event, id: `e-${index}` }));
    await createSink({ ...options, url: ingress.url })(events);
    const byId = (a: Event, b: Event) => a.id.localeCompare(b.id);
    expect(ingress.received.toSorted(byId)).toEqual(events.toSorted(byId));
  });

  test("uses its connections again", async () => {
    await using ingress = await openIngress(202);
    const sink = createSink({ ...options, url: ingress.url });
    for (let index = 0; index < 5; index++) await sink([event]);
    expect(ingress.received).toHaveLength(5);
    expect(ingress.sockets.size).toBe(1);
  });

  test("sets the overrides on every event", async () => {
    await using ingress = await openIngress(202);
    await createSink({ ...options, url: ingress.url, overrides: { tenant: "a", own: "2" } })([event]);
    expect(ingress.received[0]?.extensions).toEqual({ own: "2", tenant: "a" });
  });

  test.for([[404], [408], [409], [429], [500], [502], [503], [504]])(
    "tries again after %i",
    async ([status = 0]) => {
      await using ingress = await openIngress(status, status, 202);
      await createSink({ ...options, url: ingress.url })([event]);
      expect(ingress.received).toHaveLength(3);
    },
  );

  test.for([[400], [401], [403], [413], [422], [301], [304]])(
    "gives up at once after %i",
    async ([status = 0]) => {
      await using ingress = await openIngress(status);
      const sent = createSink({ ...options, url: ingress.url })([event]);
      await expect(sent).rejects.toMatchObject({ name: SinkError.name, status, attempts: 1 });
      expect(ingress.received).toHaveLength(1);
    },
  );

  test("gives up after the last attempt", async () => {
    await using ingress = await openIngress(503);
    const sent = createSink({ ...options, url: ingress.url })([event]);
    await expect(sent).rejects.toThrow(
      "Event e-1 of type t was not confirmed by the sink in 4 attempts: it answered 503.",
    );
    expect(ingress.received).toHaveLength(4);
  });

  test("tries again when the connection breaks and when no answer comes in time", async () => {
    const never: Answer = () => {};
    const hangUp: Answer = (request) => request.socket.destroy();
    await using ingress = await openIngress(hangUp, never, hangUp, 202);
    await createSink({ ...options, timeoutMs: 200, url: ingress.url })([event]);
    expect(ingress.received).toHaveLength(4);
  });

  test("does not count it as an attempt that an idle connection had been closed", async () => {
    await using ingress = await openIngress(202);
    const sink = createSink({ ...options, attempts: 1, url: ingress.url });
    await sink([event]);
    ingress.server.closeIdleConnections();
    await sink([event]);
    expect(ingress.received).toHaveLength(2);
  });

  test("says why there was no answer", async () => {
    const { url } = await (async () => {
      await using ingress = await openIngress(202);
      return ingress;
    })();
    const sent = createSink({ ...options, attempts: 2, url })([event]);
    await expect(sent).rejects.toThrow(/in 2 attempts: connect ECONNREFUSED/);
  });

  test("is not held up by an answer whose body never ends", async () => {
    const endless: Answer = (_, response) => void response.writeHead(202).write("…");
    await using ingress = await openIngress(endless);
    await createSink({ ...options, url: ingress.url })([event]);
    expect(ingress.received).toHaveLength(1);
  });

  test("stops when it is told to", async () => {
    const stop = new AbortController();
    const never: Answer = () => stop.abort(new Error("enough"));
    await using ingress = await openIngress(never);
    const sent = createSink({ ...options, url: ingress.url })([event], stop.signal);
    await expect(sent).rejects.toThrow("enough");
    expect(ingress.received).toHaveLength(1);
  });

  test("refuses an event that is invalid without sending it", async () => {
    await using ingress = await openIngress(202);
    const sent = createSink({ ...options, url: ingress.url })([{ ...event, id: "" }]);
    await expect(sent).rejects.toMatchObject({ code: "EVENT_ATTRIBUTE_INVALID" });
    expect(ingress.received).toEqual([]);
  });
});

describe("the wait between attempts", () => {
  const now = () => Date.UTC(2026, 10, 21, 12);
  const answer = (retryAfter?: string) => ({ status: 503, retryAfter });
  test.for([
    ["doubles", new Error("gone"), 1, 100],
    ["doubles", new Error("gone"), 2, 200],
    ["doubles", answer(), 5, 1600],
    ["ends at half a minute", answer(), 20, 30_000],
    ["is what the receiver asks for in seconds", answer("3"), 1, 3000],
    ["is what the receiver asks for as a date", answer("Sat, 21 Nov 2026 12:00:05 GMT"), 1, 5000],
    ["is no shorter because of it", answer("0"), 3, 400],
    ["is no shorter because of a date in the past", answer("Sat, 21 Nov 2026 11:00:00 GMT"), 1, 100],
    ["is not endless because of it", answer("86400"), 1, 30_000],
    ["does not depend on what cannot be read", answer("soon"), 1, 100],
    ["does not depend on what cannot be read", answer("-1"), 1, 100],
  ] as const)("%s", ([, outcome, attempt, expected]) => {
    expect(waitMs(outcome, attempt, { backoffMs: 100, now })).toBe(expected);
  });

  test("is spread over its second half", () => {
    expect(waitMs(answer(), 1, { backoffMs: 100, random: () => 0 })).toBe(50);
    expect(waitMs(answer(), 1, { backoffMs: 100, random: () => 0.5 })).toBe(75);
  });
});
