import type postgres from "postgres";

import type { Log } from "../../../../runtime/log.ts";
import { listen } from "../../../../runtime/postgres/listen.ts";
import { toResponse } from "../../../../runtime/problem.ts";
import { alertsChannel } from "../../life-cycle/write-changes.ts";
import { readRows } from "../../store/read-alerts.ts";
import { createStreamClient, type StreamClient } from "./client.ts";
import { parseCursor } from "./cursor.ts";
import { createFeed, type Feed, type FeedPace, type Member, type Told } from "./feed.ts";
import { currentCursor, readChanges, readCounters } from "./read-changes.ts";
import { createAlertTeller, createRowTeller, type ReadRows, type Teller } from "./tellers.ts";

export interface StreamDeps {
  /** What changes are read through. */
  readonly postgres: { readonly sql: postgres.Sql };
  /** Where the connection goes that listens for them. */
  readonly url: string;
  /** Rows of alerts for the predecessor's stream; from the store when left out. */
  readonly readRows?: ReadRows;
  readonly log: Log;
  /** Aborted when the process stops; ends the streams. */
  readonly stopping: AbortSignal;
  readonly limits?: Partial<StreamLimits>;
}

interface StreamLimits extends FeedPace {
  /** A comment this often keeps intermediaries from closing a quiet stream. */
  readonly keepAliveMs: number;
  /** Below the five minutes after which Knative cuts a request. */
  readonly lifeMs: number;
  readonly maxClients: number;
  /** Of one caller who is known. */
  readonly maxClientsEach: number;
  /** What a reader may be behind. */
  readonly maxBufferedBytes: number;
}

const standard: StreamLimits = {
  restMs: 100,
  deafMs: 2000,
  anywayMs: 15_000,
  countMs: 5000,
  keepAliveMs: 15_000,
  lifeMs: 270_000,
  maxClients: 200,
  maxClientsEach: 20,
  maxBufferedBytes: 262_144,
};

/** Both streams of alerts, fed by one reader of changes. */
export interface AlertStream extends AsyncDisposable {
  /**
   * `GET /api/v1/stream`: `alert.changed`, `alert.merged` and `counters`. The id of an event is a cursor:
   * whoever comes back with `Last-Event-ID` is told all that changed meanwhile. Ends with `bye`.
   */
  handler(this: void, request: Request, caller?: string): Promise<Response>;
  /** `GET /alerts/stream`: `alert` carries the whole row as `GET /alerts` does, `merged` both ids. */
  predecessor(this: void, request: Request, caller?: string): Promise<Response>;
}

const headers = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  "x-accel-buffering": "no",
};

export function createAlertStream(deps: StreamDeps): AlertStream {
  const { postgres, url, log } = deps;
  const limits = { ...standard, ...deps.limits };
  const { sql } = postgres;
  const feed = createFeed({
    reader: {
      current: () => currentCursor(sql),
      read: (range) => readChanges(sql, range),
      count: () => readCounters(sql),
    },
    listen: (onNotify) => listen({ url, name: "notification-stream", channel: alertsChannel, onNotify, log }),
    log,
    pace: limits,
  });
  const createPredecessorTeller = createRowTeller(deps.readRows ?? ((ids) => readRows(sql, ids)));
  const open = { feed, log, limits, stopping: deps.stopping, places: new Map<string, number>() };
  return {
    handler: (request, caller) => answer(request, createAlertTeller, { ...open, caller }),
    predecessor: (request, caller) => answer(request, createPredecessorTeller, { ...open, caller }),
    [Symbol.asyncDispose]: () => feed[Symbol.asyncDispose](),
  };
}

interface Open {
  readonly feed: Feed;
  readonly log: Log;
  readonly limits: StreamLimits;
  readonly stopping: AbortSignal;
  /** Streams under way, by caller. */
  readonly places: Map<string, number>;
  readonly caller: string | undefined;
}

async function answer(request: Request, createTeller: () => Teller, open: Open): Promise<Response> {
  const { feed, limits, log, stopping, places, caller } = open;
  if (feed.size() >= limits.maxClients)
    return refuse(`This process serves no more than ${limits.maxClients}`);
  if (caller !== undefined && (places.get(caller) ?? 0) >= limits.maxClientsEach) {
    return refuse(`A caller may have no more than ${limits.maxClientsEach}`);
  }
  const held = new DisposableStack();
  if (caller !== undefined) held.use(takePlace(places, caller));
  const client = createStreamClient({
    maxBytes: limits.maxBufferedBytes,
    onSlow: () => log.debug("a reader of the stream was too slow and is cut off"),
    onEnd: () => held.dispose(),
  });
  const end = () => client.end("event: bye\ndata: {}\n\n");
  client.send("retry: 3000\n\n");
  try {
    const id = request.headers.get("last-event-id") ?? "";
    const since = parseCursor(id);
    const member = memberOf(client, createTeller(), log);
    const { leave } = await feed.join(member, since);
    held.defer(leave);
    // Nobody can tell what was missed since an id that is not ours.
    if (id !== "" && since === undefined) member.reset();
  } catch (error) {
    client.end("");
    throw error;
  }
  held.adopt(setTimeout(end, limits.lifeMs).unref(), clearTimeout);
  held.adopt(setInterval(() => client.send(":\n\n"), limits.keepAliveMs).unref(), clearInterval);
  for (const signal of [stopping, request.signal]) {
    signal.addEventListener("abort", end);
    held.defer(() => signal.removeEventListener("abort", end));
    if (signal.aborted) end();
  }
  return new Response(client.body, { headers });
}

/** What the client is told goes out in order, also where words have to be looked for. */
function memberOf(client: StreamClient, teller: Teller, log: Log): Member {
  let last: Promise<unknown> = Promise.resolve();
  const fail = (error: unknown) => {
    log.debug({ err: error }, "a stream ended");
    client.cut(error instanceof Error ? error : new Error(String(error)));
  };
  const say = (make: () => string | Promise<string>) => {
    last = last.then(async () => client.send(await make())).catch(fail);
  };
  return {
    told: (told: Told) => say(() => teller.told(told)),
    counted: (counters) => say(() => teller.counted(counters)),
    reset: () => say(() => teller.reset()),
    ready: () => last.then(() => client.ready()),
    failed: fail,
  };
}

function takePlace(places: Map<string, number>, caller: string): Disposable {
  places.set(caller, (places.get(caller) ?? 0) + 1);
  return {
    [Symbol.dispose]() {
      const left = (places.get(caller) ?? 1) - 1;
      if (left > 0) places.set(caller, left);
      else places.delete(caller);
    },
  };
}

function refuse(limit: string): Response {
  return toResponse({
    status: 429,
    code: "TOO_MANY_STREAMS",
    detail: `${limit} streams at a time. Try again later, or read the list.`,
    headers: { "retry-after": "10" },
  });
}
