import type { Duplex } from "node:stream";

import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

const statuses: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/** Answers what is not HTTP, or comes too slowly, as Node would, and counts it: it is nobody's delivery. */
export function refuseConnection(
  error: Error & { readonly code?: string },
  socket: Duplex,
  { metrics, log }: { readonly metrics: Metrics; readonly log: Log },
): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = statuses[error.code ?? ""] ?? "400 Bad Request";
  metrics.httpRefused.inc({ reason: status.slice(0, 3) });
  log.warn({ reason: error.code }, "a request that is not HTTP was refused");
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
