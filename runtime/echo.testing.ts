import { z } from "zod";

import { alertRaised } from "../events/contracts/alert-raised.ts";
import { type AuditRecorded, auditRecorded } from "../events/contracts/audit-recorded.ts";
import { eventRejected } from "../events/contracts/event-rejected.ts";
import { createEvent } from "../events/envelope.ts";
import type { Event } from "../events/event.ts";
import { deriveId } from "../events/identity.ts";
import { createApp } from "./app.ts";
import { PermanentError, UnavailableError } from "./failure.ts";
import { type Delivery, defineFunction } from "./function.ts";

const time = "2026-11-21T12:00:00.000Z";
const alert = alertRaised.data.parse(alertRaised.examples[0]);

function alertFrom(cause: Event, name: string): Event {
  return createEvent(alertRaised, {
    id: deriveId(cause, name),
    source: "/auditflow/echo",
    time,
    data: alert,
  });
}

/** What the handler does is told by the event it gets, so that one function shows every outcome. */
const behaviours: Readonly<
  Record<string, (event: Event<AuditRecorded>, delivery: Delivery) => Promise<readonly Event[]>>
> = {
  quiet: async () => [],
  reply: async (event) => [alertFrom(event, "one")],
  many: async (event) => [alertFrom(event, "one"), alertFrom(event, "two")],
  refuse: async () => {
    throw new PermanentError("ECHO_REFUSED", "refused \ud800 as asked", { pointer: "/data/event_type" });
  },
  misnamed: async () => {
    throw new PermanentError("not a code", "");
  },
  away: async () => {
    throw new UnavailableError("store", "the store is away", { retryAfterMs: 2500 });
  },
  fails: async () => {
    throw new Error("unexpected");
  },
  "throws-text": () => {
    // oxlint-disable-next-line typescript/only-throw-error -- any value can be thrown
    throw "text";
  },
  hangs: () => new Promise(() => {}),
  "waits-for-signal": (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error("stopped")));
    }),
  "makes-invalid": async (event) => [
    createEvent(alertRaised, { id: "", source: "", time, data: alert }),
    event,
  ],
  "emits-undeclared": async (event) => [event],
  asks: async (event) => {
    await fetch(String(event.data.details?.["url"]));
    return [];
  },
};

/** A function made to be tested: see `behaviours` and the routes below. */
export const echo = defineFunction({
  name: "echo",
  accepts: [auditRecorded, eventRejected],
  emits: [alertRaised],
  deliveryPaths: ["/dead-letters"],
  config: z.object({ ECHO_DEPENDENCY: z.enum(["up", "down"]).default("up") }),
  start: async ({ config, log, health }) => {
    const store = health.dependency("store", { impairs: ["keeping things"] });
    if (config.ECHO_DEPENDENCY === "up") store.up();
    const app = createApp({ log });
    app.post("/echo", async (context) => context.body(await context.req.text()));
    app.get("/away", () => {
      throw new UnavailableError("store", "unexpected: no connection to 10.0.0.5 as admin");
    });
    app.get("/fails", () => {
      throw new Error("unexpected");
    });
    app.post("/dead-letters", (context) => context.text("no", context.req.header("ce-id") ? 201 : 400));
    return {
      async handle(event, delivery) {
        if (event.type === eventRejected.type) throw new PermanentError("ECHO_REFUSED", "and again");
        delivery.log.debug("handling");
        return behaviours[event.data.event_type]?.(event, delivery) ?? [];
      },
      fetch: app.fetch,
      [Symbol.asyncDispose]: async () => log.info("echo disposed"),
    };
  },
});
