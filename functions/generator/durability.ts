import type { Event } from "../../events/event.ts";
import { UnavailableError } from "../../runtime/failure.ts";
import type { Sink } from "../../runtime/function.ts";
import type { Ledger } from "../../runtime/ledger/ledger.ts";
import type { Publisher } from "./publisher.ts";

/** `conflict`: the same (source, id) was accepted with other data, and nothing was changed. */
type Durable = "stored" | "duplicate" | "conflict";

/**
 * Makes an event durable: once the promise resolves it cannot be lost any more. Rejects with
 * UnavailableError when it could not be, or when that is not certain; offering it again is harmless.
 */
export type MakeDurable = (event: Event, bytes: number) => Promise<Durable>;

/**
 * Durable is what the ledger committed. The answer does not wait for the broker: that would add its
 * latency and its outages to every request, and no certainty, since what it loses is emitted again from
 * the ledger. A duplicate is published again unless it was evaluated, because the client may be repeating
 * itself for the very reason that the first attempt died before it was published; everything behind the
 * broker is idempotent.
 */
export function throughLedger({
  ledger,
  publisher,
}: {
  readonly ledger: Pick<Ledger, "accept">;
  readonly publisher: Publisher;
}): MakeDurable {
  return async (event, bytes) => {
    const acceptance = await ledger.accept(event);
    const evaluated = acceptance.outcome === "duplicate" && acceptance.detections !== undefined;
    if (acceptance.outcome !== "conflict" && !evaluated) publisher.offer(event, bytes);
    return acceptance.outcome;
  };
}

/** Durable is what the broker confirmed; repetitions are noticed only behind it. */
export function throughBroker(sink: Sink): MakeDurable {
  return async (event) => {
    try {
      await sink([event]);
      return "stored";
    } catch (cause) {
      if (cause instanceof UnavailableError) throw cause;
      throw new UnavailableError("broker", "The broker did not confirm the event.", { cause });
    }
  };
}
