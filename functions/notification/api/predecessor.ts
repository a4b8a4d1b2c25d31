import type { Context, Hono } from "hono";

import { isUuid } from "../../../events/uuid.ts";
import { checkScope, type Principal } from "../../../runtime/access/access.ts";
import { nameOf } from "./actor.ts";
import type { ApiDeps } from "./deps.ts";
import { invalid } from "./operation.ts";
import { identify, type ServeDeps } from "./serve-operation.ts";

type Reader = ApiDeps["predecessor"]["reader"];

/**
 * The predecessor's routes with its texts, and what is read beside them since. They stay as they are; new
 * work goes to `/api/v1`. A database that is away is always 503, never "nothing found".
 */
export function addPredecessor(app: Hono, serving: ServeDeps): void {
  const { reader, stream } = serving.deps.predecessor;
  const get = (path: string, handle: (context: Context, caller: Principal) => Promise<Response>) =>
    app.get(path, async (context) => {
      const caller = await identify(context, serving);
      checkScope(caller, "viewer");
      return handle(context, caller);
    });
  get("/alerts", (context) => getAlerts(context, reader));
  get("/alerts/stream", (context, caller) => stream(context.req.raw, nameOf(caller)));
  get("/alerts/:id", (context) => getAlert(context, reader));
  get("/dead-letters", (context) => getDeadLetters(context, reader));
}

/** Rows when no `limit` is given (the predecessor gave all), and at most. */
const pageSize = { standard: 100, most: 1000 };

/**
 * `GET /alerts?limit&offset&include`: a bare array of rows, one per alert, newest first. `limit` is 100
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

/** `GET /alerts/{id}`: the alert that the id belongs to by now, with its deliveries. */
async function getAlert(c: Context, reader: Reader): Promise<Response> {
  const id = c.req.param("id") ?? "";
  if (!isUuid(id)) return c.json({ error: "Alert id must be a UUID." }, 400);
  const row = await reader.findAlert(id);
  if (!row) return c.json({ message: "Alert not found" }, 404);
  return c.json({ ...row, deliveries: await reader.listDeliveries(row.alert_id) });
}

/** `GET /dead-letters?limit`: newest first. */
async function getDeadLetters(c: Context, reader: Reader): Promise<Response> {
  const limit = readLimit(c);
  if (typeof limit === "string") throw invalid([{ parameter: "limit", detail: limit, code: "range" }]);
  return c.json(await reader.listDeadLetters(limit));
}
