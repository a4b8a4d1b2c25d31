import { parseInstant } from "../../../events/time.ts";

/** A line of an access log, taken apart; what it lacks (or has as `-`) is absent. */
export interface AccessLine {
  readonly virtualHost?: string | undefined;
  /** The address, or the name, of the client. */
  readonly client: string;
  readonly user?: string | undefined;
  /** Epoch milliseconds. */
  readonly time: number;
  /** The request line: `GET /path?query HTTP/1.1`, or whatever the client sent instead. */
  readonly request: string;
  readonly status: number;
  readonly bytes?: number | undefined;
  readonly referer?: string | undefined;
  readonly userAgent?: string | undefined;
  /** What follows the combined format, such as what Traefik adds. */
  readonly rest: string;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const stamp = /\[(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?) ([+-]\d{2})(\d{2})\] "/g;

/**
 * Reads a line of the common or the combined format, also with the virtual host before it, as Apache's
 * httpd, nginx, Caddy and Traefik write them; `undefined` when it is none. Looks at each character a fixed
 * number of times: what stands in such a line is the client's choice.
 * https://httpd.apache.org/docs/current/mod/mod_log_config.html
 */
export function parseAccessLine(line: string): AccessLine | undefined {
  stamp.lastIndex = 0;
  const at = stamp.exec(line);
  const who = at && readClient(line.slice(0, at.index));
  const time = at ? parseClfTime(line.slice(at.index + 1, at.index + at[0].length - 3)) : undefined;
  if (!at || !who || time === undefined) return undefined;
  const request = readQuoted(line, at.index + at[0].length);
  const answer = request && /^ (\d{3}) (\d{1,15}|-)(?= |$)/.exec(line.slice(request.end, request.end + 24));
  if (!request || !answer) return undefined;
  const after = request.end + answer[0].length;
  const referer = line.startsWith(' "', after) ? readQuoted(line, after + 2) : undefined;
  const agent = referer && line.startsWith(' "', referer.end) ? readQuoted(line, referer.end + 2) : undefined;
  return {
    ...who,
    time,
    request: request.text,
    status: Number(answer[1]),
    bytes: answer[2] === "-" ? undefined : Number(answer[2]),
    referer: given(referer?.text),
    userAgent: given(agent?.text),
    rest: line.slice(agent?.end ?? referer?.end ?? after).trim(),
  };
}

/** `21/Nov/2026:12:00:03 +0100` as epoch milliseconds. */
export function parseClfTime(text: string): number | undefined {
  const [, day, month = "", year, clock, hours, minutes] =
    /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?) ([+-]\d{2})(\d{2})$/.exec(text) ??
    [];
  const number = months.indexOf(month) + 1;
  if (number === 0) return undefined;
  return parseInstant(`${year}-${String(number).padStart(2, "0")}-${day}T${clock}${hours}:${minutes}`);
}

/** `host ident user `, or that after `virtual.host:port `. The user's name may hold spaces. */
function readClient(text: string): Pick<AccessLine, "virtualHost" | "client" | "user"> | undefined {
  const words = text.trimEnd().split(" ");
  const hasHost = words.length > 3 && /^[^\s:]+:\d{1,5}$/.test(words[0] ?? "");
  const [client = "", , ...user] = hasHost ? words.slice(1) : words;
  if (client === "" || user.length === 0) return undefined;
  const virtualHost = hasHost ? words[0]?.replace(/:\d+$/, "") : undefined;
  return { virtualHost, client, user: given(user.join(" ")) };
}

/** The text from `start` to the next quote that is not escaped, and where it ends behind that quote. */
function readQuoted(
  line: string,
  start: number,
): { readonly text: string; readonly end: number } | undefined {
  for (let index = start; index < line.length; index++) {
    if (line[index] === "\\") index++;
    else if (line[index] === '"') return { text: unescape(line.slice(start, index)), end: index + 1 };
  }
  return undefined;
}

/** Servers write what is not plain ASCII as `\xHH`, byte by byte, and quotes as `\"`. */
function unescape(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replaceAll(/(?:\\x[0-9a-fA-F]{2})+|\\["\\]/g, (escaped) =>
    escaped[1] === "x"
      ? Buffer.from(escaped.replaceAll("\\x", ""), "hex").toString("utf8")
      : escaped.slice(1),
  );
}

function given(text: string | undefined): string | undefined {
  return text === "" || text === "-" ? undefined : text;
}
