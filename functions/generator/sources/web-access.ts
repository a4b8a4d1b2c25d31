import { isIP } from "node:net";

import { maxDataDepth, parseJson } from "../../../events/json.ts";
import { type Access, readRequest, type Server } from "./access.ts";
import { parseAccessLine } from "./access-line.ts";
import { isAccessRecord, readAccessRecord } from "./access-record.ts";
import { contentId, cut, eventTypeOf, maxText, present, refuseRecord } from "./record.ts";
import { type Adapted, defineSource, type RecordMeta } from "./source.ts";
import { parseSyslogLine } from "./syslog.ts";

/** Longer lines are not a web server's: none takes such a request. */
const maxLine = 65_536;

/** Access logs of web servers: lines of the common and the combined format, or JSON records. */
export const webAccess = defineSource({
  name: "web-access",
  format: "text",
  alsoJson: true,
  recognises: isAccessRecord,
  adapt(record, meta) {
    const access = typeof record === "string" ? readLine(record, meta) : readAccessRecord(record);
    if (access === undefined) {
      throw refuseRecord(
        record,
        `a line of the common or combined format of at most ${maxLine} characters, or a JSON record with method, target and status`,
      );
    }
    return [adaptAccess(record, access, meta)];
  },
});

function readLine(text: string, { receivedAt }: RecordMeta): Access | undefined {
  if (text.length > maxLine) return undefined;
  const line = text.trim();
  if (line.startsWith("{")) return readAccessRecord(jsonOf(line));
  const bare = parseAccessLine(line);
  const syslog = bare === undefined || !isIP(bare.client) ? parseSyslogLine(line, receivedAt) : undefined;
  // A name of a program before it is that of the server, and hides nothing but syslog's own time.
  const tagged = syslog?.program === undefined ? undefined : parseAccessLine(syslog.message);
  const found = tagged ?? bare;
  if (found === undefined) return undefined;
  const { request, rest, ...access } = found;
  const isTraefik = /^\d+ "[^"]*" "[^"]*" \d+ms$/.test(rest);
  const server = isTraefik ? "traefik" : tagged && serverOf(syslog?.program);
  return { ...access, ...readRequest(request), server, machine: tagged && syslog?.host };
}

function jsonOf(line: string): unknown {
  try {
    return parseJson(Buffer.from(line), maxDataDepth - 2);
  } catch {
    return undefined;
  }
}

function serverOf(program: string | undefined): Server | undefined {
  if (program === "httpd" || program === "apache2") return "apache";
  return (["nginx", "apache", "caddy", "traefik"] as const).find((name) => name === program);
}

function adaptAccess(record: unknown, access: Access, meta: RecordMeta): Adapted {
  const { server, client = "", method, uri, status } = access;
  const [path, query] = splitTarget(uri);
  // A request id is handed on from server to server, and often the client's choice: it identifies nothing.
  const id = contentId("web-access", record, meta.repetition());
  const data = present({
    event_id: id,
    source_service: server ?? "web",
    server_hostname: short(access.machine),
    event_type: eventTypeOf("web", method?.toLowerCase() ?? "request"),
    user_id: short(access.user),
    action_result: status < 400 ? "SUCCESS" : "FAILURE",
    client_ip: isIP(client) === 0 ? undefined : client,
    resource: short(path),
    details: present({
      method,
      uri,
      path,
      query,
      protocol: access.protocol,
      request: access.request,
      status,
      bytes: access.bytes,
      referer: access.referer,
      user_agent: access.userAgent,
      virtual_host: access.virtualHost,
      request_content_type: access.contentType,
      cookie: access.cookie,
    }),
    logsource: present({ product: server, category: "webserver", service: server }),
    original: record,
  });
  return { source: "/auditflow/source/web-access", id, time: access.time, data };
}

function splitTarget(uri: string | undefined): readonly [path?: string, query?: string] {
  if (uri === undefined) return [];
  const at = uri.indexOf("?");
  return at < 0 ? [uri] : [uri.slice(0, at), uri.slice(at + 1)];
}

function short(text: string | undefined): string | undefined {
  return text === undefined ? undefined : cut(text, maxText);
}
