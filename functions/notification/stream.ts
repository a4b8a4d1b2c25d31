import type { Log } from "../../runtime/log.ts";
import type { Changes } from "./store/read-alerts.ts";
import type { Reader } from "./store/reader.ts";

export interface StreamDeps {
  readonly reader: Pick<Reader, "currentCursor" | "readChanges">;
  readonly log: Log;
  readonly stopping: AbortSignal;
  readonly pace?: Partial<Pace>;
}

interface Pace {
  readonly pollMs: number;
  /** A comment this often keeps intermediaries from closing a quiet stream. */
  readonly keepAliveMs: number;
  /** Below the five minutes after which Knative cuts a request. */
  readonly lifeMs: number;
}

const standard: Pace = { pollMs: 1000, keepAliveMs: 15_000, lifeMs: 270_000 };

/**
 * `GET /alerts/stream`: server-sent events. `alert` carries the row of an episode that began or changed,
 * `merged` the id of one that became part of another. The id of an event is a cursor: a client that comes
 * back with `Last-Event-ID` misses nothing, and is told again at worst. The stream ends itself before a
 * proxy cuts it; clients reconnect.
 */
export function createStream({ reader, log, stopping, pace }: StreamDeps) {
  const { pollMs, keepAliveMs, lifeMs } = { ...standard, ...pace };

  return async (request: Request): Promise<Response> => {
    // Asked first, so that a database that is away is answered 503, not an empty stream.
    const from = cursorOf(request) ?? (await reader.currentCursor());
    const ended = AbortSignal.any([stopping, request.signal, AbortSignal.timeout(lifeMs)]);
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    void follow(from, writable.getWriter(), ended).catch((error: unknown) => {
      log.debug({ err: error }, "A stream ended.");
    });
    const headers = {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    };
    return new Response(readable, { headers });
  };

  async function follow(
    from: string,
    writer: WritableStreamDefaultWriter<Uint8Array>,
    ended: AbortSignal,
  ): Promise<void> {
    const write = (text: string) => writer.write(Buffer.from(text));
    let cursor = from;
    let quietMs = 0;
    try {
      await write(`retry: ${pollMs}\nid: ${cursor}\n\n`);
      while (!ended.aborted) {
        const changes = await reader.readChanges(cursor);
        if (changes.rows.length + changes.merged.length > 0) {
          await write(toText(changes));
          quietMs = 0;
        } else if (quietMs >= keepAliveMs) {
          // A quiet stream moves its cursor too, or a return would start far back.
          await write(`id: ${changes.cursor}\n:\n\n`);
          quietMs = 0;
        }
        cursor = changes.cursor;
        await pause(pollMs, ended);
        quietMs += pollMs;
      }
    } finally {
      await writer.close().catch(() => undefined);
    }
  }
}

/** A cursor of ours in `Last-Event-ID`; anything else starts from now. */
function cursorOf(request: Request): string | undefined {
  const text = request.headers.get("last-event-id") ?? "";
  return /^\d{1,19}$/.test(text) ? text : undefined;
}

function toText({ cursor, rows, merged }: Changes): string {
  const events = [
    ...rows.map((row) => ({ name: "alert", body: row })),
    ...merged.map((signpost) => ({ name: "merged", body: signpost })),
  ];
  // Only the last one moves the cursor: a client cut off in between is told all of them again.
  return events
    .map(({ name, body }, index) => {
      const id = index === events.length - 1 ? `id: ${cursor}\n` : "";
      return `event: ${name}\n${id}data: ${JSON.stringify(body)}\n\n`;
    })
    .join("");
}

/** Resolves after the time, or at once when the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    return undefined;
  });
}
