import { quote } from "../../../events/invalid-event.ts";
import { parseInstant } from "../../../events/time.ts";
import { RequestError } from "../problem.ts";
import { type Access, readRequest, type Server } from "./access.ts";
import { parseClfTime } from "./access-line.ts";
import { isObject, type JsonObject, textAt, wholeTextAt } from "./record.ts";

/** Where JSON access logs have what a line has: nginx' variables, Traefik, Caddy, Envoy, and common names. */
const names = {
  time: [
    "time_iso8601",
    "time_local",
    "msec",
    "StartUTC",
    "ts",
    "start_time",
    "time",
    "@timestamp",
    "timestamp",
  ],
  client: [
    "remote_addr",
    "ClientHost",
    "request.client_ip",
    "request.remote_ip",
    "remoteIP",
    "remote_ip",
    "client_ip",
  ],
  user: ["remote_user", "ClientUsername"],
  method: ["request_method", "RequestMethod", "request.method", "method"],
  uri: ["request_uri", "RequestPath", "request.uri", "uri", "path", "url"],
  protocol: ["server_protocol", "RequestProtocol", "request.proto", "protocol"],
  status: ["status", "DownstreamStatus", "OriginStatus", "response_code", "status_code"],
  bytes: ["body_bytes_sent", "bytes_sent", "DownstreamContentSize", "size", "bytes"],
  referer: [
    "http_referer",
    "http_referrer",
    "request_Referer",
    "request.headers.Referer.0",
    "referer",
    "referrer",
  ],
  userAgent: [
    "http_user_agent",
    "request_User-Agent",
    "request.headers.User-Agent.0",
    "user_agent",
    "userAgent",
    "agent",
  ],
  virtualHost: ["http_host", "RequestHost", "request.host", "host", "authority", "server_name"],
  contentType: [
    "content_type",
    "http_content_type",
    "request_Content-Type",
    "request.headers.Content-Type.0",
  ],
  cookie: ["http_cookie", "request_Cookie", "request.headers.Cookie.0"],
} as const;

/** Whether a record tells of a request: method, target and status. */
export function isAccessRecord(record: unknown): record is JsonObject {
  if (!isObject(record)) return false;
  const hasTarget =
    textAt(record, ...names.uri) !== undefined && textAt(record, ...names.method) !== undefined;
  const hasLine = /^[A-Z]+ \S+ HTTP\/[\d.]+$/.test(textAt(record, "request") ?? "");
  return (hasTarget || hasLine) && /^\d{3}$/.test(textAt(record, ...names.status) ?? "");
}

/** The request a record tells of; `undefined` when it tells of none. Throws EVENT_TIME_INVALID. */
export function readAccessRecord(record: unknown): Access | undefined {
  if (!isAccessRecord(record)) return undefined;
  const text = (name: keyof typeof names) => {
    const value = wholeTextAt(record, ...names[name]);
    return value === "-" ? undefined : value;
  };
  const line = typeof record["request"] === "string" ? readRequest(record["request"]) : {};
  const bytes = text("bytes");
  return {
    time: timeOf(text("time")),
    server: serverOfRecord(record),
    client: text("client"),
    user: text("user"),
    method: text("method") ?? line.method,
    uri: text("uri") ?? line.uri,
    protocol: text("protocol") ?? line.protocol,
    status: Number(text("status")),
    bytes: bytes !== undefined && /^\d{1,15}$/.test(bytes) ? Number(bytes) : undefined,
    referer: text("referer"),
    userAgent: text("userAgent"),
    virtualHost: text("virtualHost"),
    contentType: text("contentType"),
    cookie: text("cookie"),
  };
}

/** A time that is there and cannot be read is refused: another one would be invented. */
function timeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = parseClfTime(text) ?? parseInstant(/^\d+(?:\.\d+)?$/.test(text) ? Number(text) : text);
  if (time !== undefined) return time;
  throw new RequestError(
    "EVENT_TIME_INVALID",
    `The time of the request is ${quote(text)}: expected RFC 3339, "21/Nov/2026:12:00:00 +0000" or an epoch number.`,
  );
}

function serverOfRecord(record: JsonObject): Server | undefined {
  if (textAt(record, "DownstreamStatus") !== undefined) return "traefik";
  if (textAt(record, "logger")?.startsWith("http.log.access") === true) return "caddy";
  return textAt(record, "body_bytes_sent", "http_user_agent", "time_iso8601") === undefined
    ? undefined
    : "nginx";
}
