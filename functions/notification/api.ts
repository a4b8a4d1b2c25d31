import type { Context, Hono } from "hono";

import { createApp } from "../../runtime/app.ts";
import type { Log } from "../../runtime/log.ts";
import { toResponse } from "../../runtime/problem.ts";
import { fromUndeliverable } from "./dead-letter.ts";
import type { Sender } from "./sender.ts";
import type { Reader } from "./store/reader.ts";
import type { Store } from "./store/store.ts";
import { createStream } from "./stream.ts";

export interface ApiDeps {
  readonly reader: Reader;
  readonly store: Pick<Store, "storeDeadLetter">;
  readonly sender: Pick<Sender, "run">;
  readonly log: Log;
  /** Aborted when the process stops; ends the streams. */
  readonly stopping: AbortSignal;
}

/**
 * The HTTP API: the predecessor's two routes with its texts, the broker's dead letter sink and what
 * operators need. A database that is away is always 503, never "nothing found".
 */
export function createApi(deps: ApiDeps): Hono {
  const { reader } = deps;
  const api = createApp(deps);
  const stream = createStream(deps);
  api.get("/alerts", (c) => getAlerts(c, reader));
  api.get("/alerts/stream", (c) => stream(c.req.raw));
  api.get("/alerts/:id", (c) => getAlert(c, reader));
  api.get("/dead-letters", (c) => getDeadLetters(c, reader));
  api.post("/dead-letters", (c) => postDeadLetter(c, deps.store));
  api.post("/deliveries/run", async (c) => c.json({ attempts: await deps.sender.run() }));
  return api;
}

/** Rows when no `limit` is given (the predecessor gave all), and at most. */
const pageSize = { standard: 100, most: 1000 };

/**
 * `GET /alerts?limit&offset&include`: a bare array of rows, one per episode, newest first. `limit` is 100
 * when not given and never more than 1,000. `include=suppressed` adds what nobody was told of.
 */
async function getAlerts(c: Context, reader: Reader): Promise<Response> {
  const limit = readLimit(c);
  if (typeof limit === "string") return c.json({ error: limit }, 400);
  const offset = readInteger(c.req.query("offset")) ?? 0;
  if (Number.isNaN(offset)) return c.json({ error: "Offset must be an integer." }, 400);
  if (offset < 0) return c.json({ error: "Offset cannot be negative." }, 400);
  const include = c.req.query("include");
  if (include !== undefined && include !== "suppressed") {
    return c.json({ error: "Include must be suppressed." }, 400);
  }
  return c.json(await reader.listAlerts({ limit, offset, suppressed: include === "suppressed" }));
}

/** The limit to apply, or what is wrong with the one that was asked for. */
function readLimit(c: Context): number | string {
  const limit = readInteger(c.req.query("limit")) ?? pageSize.standard;
  if (Number.isNaN(limit)) return "Limit must be an integer.";
  if (limit <= 0) return "Limit must be a positive integer.";
  return Math.min(limit, pageSize.most);
}

/** `undefined` when absent or empty, NaN when it is no integer; bounded, so that it fits a `bigint`. */
function readInteger(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (!/^\s*[+-]?\d+\s*$/.test(text)) return Number.NaN;
  return Math.max(-1, Math.min(Number(text), Number.MAX_SAFE_INTEGER));
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** `GET /alerts/{id}`: the episode that the alert belongs to, with its deliveries. */
async function getAlert(c: Context, reader: Reader): Promise<Response> {
  const id = c.req.param("id") ?? "";
  if (!uuid.test(id)) return c.json({ error: "Alert id must be a UUID." }, 400);
  const row = await reader.findAlert(id);
  if (!row) return c.json({ message: "Alert not found" }, 404);
  return c.json({ ...row, deliveries: await reader.listDeliveries(row.alert_id) });
}

/** `GET /dead-letters?limit`: newest first. */
async function getDeadLetters(c: Context, reader: Reader): Promise<Response> {
  const limit = readLimit(c);
  if (typeof limit === "string") return toResponse({ status: 400, detail: limit });
  return c.json(await reader.listDeadLetters(limit));
}

/** The broker's dead letter sink: does nothing but insert, and has not answered before that is durable. */
async function postDeadLetter(c: Context, store: ApiDeps["store"]): Promise<Response> {
  const body = Buffer.from(await c.req.arrayBuffer());
  await store.storeDeadLetter(fromUndeliverable(Object.fromEntries(c.req.raw.headers), body));
  return c.body(null, 204);
}
