import type { Hono } from "hono";

import { createApp } from "../../../runtime/app.ts";
import type { Log } from "../../../runtime/log.ts";
import { fromUndeliverable } from "../dead-letters/dead-letter.ts";
import type { Store } from "../store/store.ts";

/** What a broker delivers to besides `POST /`, and what a schedule calls. */
export const brokerPaths: {
  readonly delivery: readonly string[];
  readonly schedule: readonly string[];
} = { delivery: ["/dead-letters"], schedule: ["/deliveries/run", "/retention/run"] };

export interface BrokerRoutesDeps {
  readonly store: Pick<Store, "storeDeadLetter">;
  /** Sends what is due; answers how many attempts were made. */
  readonly worker: { run(): Promise<number> };
  /** Deletes what is too old, and makes room for what comes; answers what it did. */
  readonly retain: () => Promise<object>;
  readonly log: Log;
}

/**
 * The routes a broker and schedules deliver to, which ask nobody who they are and load nothing of the API
 * for people: a delivery that wakes a process does not wait for that.
 */
export function createBrokerRoutes({ store, worker, retain, log }: BrokerRoutesDeps): Hono {
  const app = createApp({ log });
  // The broker's dead letter sink: does nothing but insert, and has not answered before that is durable.
  app.post("/dead-letters", async (context) => {
    const body = Buffer.from(await context.req.arrayBuffer());
    await store.storeDeadLetter(fromUndeliverable(Object.fromEntries(context.req.raw.headers), body));
    return context.body(null, 204);
  });
  app.post("/deliveries/run", async (context) => context.json({ attempts: await worker.run() }));
  app.post("/retention/run", async (context) => context.json(await retain()));
  return app;
}
