import { auditRecorded } from "../../events/contracts/audit-recorded.ts";
import { createEvent } from "../../events/envelope.ts";
import { toInstant } from "../../events/time.ts";
import { UnavailableError } from "../../runtime/failure.ts";
import type { Intake, Receipt } from "./intake.ts";
import { type SettingsStore, trafficOf } from "./settings.ts";
import { eventsBetween, type SyntheticEvent } from "./traffic.ts";

/** After a longer pause the traffic goes on from here; it does not make up for the night. */
const maxCatchUpMs = 5 * 60_000;
/** Traffic is made and emitted in slices of this length, which bounds the memory. */
const sliceMs = 10_000;
/** A tick that takes longer stops here, and the next one goes on: whoever ticks does not wait for ever. */
const maxTickMs = 20_000;
const parallel = 256;

/** What a tick did. */
export interface Tick {
  readonly on: boolean;
  readonly emitted: number;
  /** Up to when everything due was emitted, RFC 3339. */
  readonly until?: string;
}

export interface TickerDeps {
  readonly intake: Intake;
  readonly settings: SettingsStore;
  readonly now: () => number;
}

/**
 * Emits what is due since the last tick. The cursor moves only after everything before it is durable, and
 * events have the same ids however often they are made: a tick that failed, came twice or ran on two
 * replicas doubles nothing.
 */
export function createTicker({ intake, settings, now }: TickerDeps): () => Promise<Tick> {
  return async () => {
    const current = await settings.read();
    if (!current.on) return { on: false, emitted: 0 };
    const traffic = trafficOf(current);
    const to = now();
    const done = (await settings.readCursor(traffic)) ?? traffic.startedAt - 1;
    let until = Math.max(done, to - maxCatchUpMs);
    let emitted = 0;
    while (until < to && now() < to + maxTickMs) {
      const from = until;
      until = Math.min(to, from + sliceMs);
      const due = eventsBetween(traffic, from, until);
      await emit(due);
      emitted += due.length;
      await settings.writeCursor(traffic, until);
    }
    return { on: true, emitted, until: toInstant(until) };
  };

  async function emit(events: readonly SyntheticEvent[]): Promise<void> {
    for (let start = 0; start < events.length; start += parallel) {
      const receipts = await Promise.all(events.slice(start, start + parallel).map(offer));
      const failed = receipts.flat().find(isFailure);
      if (failed !== undefined) {
        throw new UnavailableError("ledger", "Not every synthetic event could be made durable.");
      }
    }
  }

  function offer({ id, time, data }: SyntheticEvent): Promise<readonly Receipt[]> {
    const event = createEvent(auditRecorded, {
      id,
      source: "/auditflow/generator",
      time: toInstant(time),
      subject: `${data.event_type}/${data.user_id ?? ""}`,
      data,
    });
    return intake({
      read: () => [event],
      refused: () => ({ event: {}, message: { headers: {}, body: Buffer.alloc(0) } }),
    });
  }
}

/** One that is refused for ever does not hold up the others: it is counted, and the next tick goes on. */
function isFailure(receipt: Receipt): boolean {
  return receipt.status === "refused" && receipt.problem.status >= 500;
}
