import { setTimeout as delay } from "node:timers/promises";

import type { Event } from "../../events/event.ts";
import type { Sink } from "../../runtime/function.ts";
import type { Log } from "../../runtime/log.ts";
import type { Metrics } from "../../runtime/metrics.ts";

/** What waits to be published may take this much memory; the rest is left to the reconciler. */
const maxWaitingBytes = 32 * 1024 * 1024;
const maxWaiting = 10_000;
const parallel = 32;
/** How long disposing waits for the broker. */
const drainMs = 5000;

/** Publishes in the background what is already durable. */
export interface Publisher extends AsyncDisposable {
  /** Takes an event of that many bytes to be published; false when there is no room for it. */
  offer(event: Event, bytes: number): boolean;
}

export interface PublisherDeps {
  readonly sink: Sink;
  readonly metrics: Metrics;
  readonly log: Log;
}

/**
 * A bounded queue before the broker. An event that is dropped here, because there is no room or because
 * the broker did not confirm it, is not lost: it is in the ledger, and the reconciler emits it again. So
 * nothing is tried twice beyond what the sink tries. Disposing it waits for what was taken, but not for
 * ever: a broker that is away must not keep the process.
 */
export function createPublisher({ sink, metrics, log }: PublisherDeps): Publisher {
  const waiting: { readonly event: Event; readonly bytes: number }[] = [];
  const working = new Set<Promise<void>>();
  let held = 0;

  async function work(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await publish(next.event);
      held -= next.bytes;
    }
  }

  async function publish(event: Event): Promise<void> {
    try {
      await sink([event]);
      metrics.eventsPublished.inc({ outcome: "sent" });
    } catch (error) {
      metrics.eventsPublished.inc({ outcome: "failed" });
      const { id, source, type } = event;
      log.warn(
        { err: error, event: { id, source, type } },
        "accepted, but not published; the reconciler will",
      );
    }
  }

  return {
    offer(event, bytes) {
      if (waiting.length >= maxWaiting || held + bytes > maxWaitingBytes) {
        metrics.eventsPublished.inc({ outcome: "deferred" });
        return false;
      }
      held += bytes;
      waiting.push({ event, bytes });
      if (working.size < parallel) {
        const worker = work().finally(() => working.delete(worker));
        working.add(worker);
      }
      return true;
    },
    async [Symbol.asyncDispose]() {
      const settled = new AbortController();
      const patience = delay(drainMs, undefined, { signal: settled.signal }).catch(() => undefined);
      await Promise.race([Promise.all(working), patience]);
      settled.abort();
      const left = waiting.splice(0).length;
      if (left > 0) metrics.eventsPublished.inc({ outcome: "deferred" }, left);
    },
  };
}
