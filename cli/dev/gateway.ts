import {
  Agent,
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import { once } from "node:events";

/** Answers with the base URL of the function that serves a request, or `undefined` while it starts. */
export type Upstream = (
  method: string,
  path: string,
) => { readonly base: string; readonly path: string } | undefined;

export interface Gateway extends AsyncDisposable {
  readonly url: string;
}

const localNames = new Set(["localhost", "127.0.0.1", "[::1]"]);

const startingPage = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="1"><title>AuditFlow is starting</title>
<body style="font: 16px/1.5 system-ui; color-scheme: light dark; margin: 3rem"><p role="status">AuditFlow is starting…</p></body></html>`;

/**
 * One address for everything, as an ingress is on a cluster: passes each request on to the function
 * that serves it. It listens before anything else is up, so that a browser opened early sees a page.
 */
export async function openGateway(
  address: { readonly host: string; readonly port: number },
  upstream: Upstream,
): Promise<Gateway> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    const refused = refusal(incoming);
    if (refused) return problem(outgoing, 421, refused);
    const target = upstream(incoming.method ?? "GET", originForm(incoming.url ?? "/"));
    if (target) return pass(incoming, outgoing, { agent, ...target });
    return starting(incoming, outgoing);
  });
  const port = await listen(server, address);
  return {
    url: `http://localhost:${port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeIdleConnections();
      await once(server, "close");
      agent.destroy();
    },
  };
}

/** A page of another site can make a browser send requests here under a name of its own: refuse those. */
function refusal({ headers }: IncomingMessage): string | undefined {
  const name = (headers.host ?? "").replace(/:\d+$/, "");
  return localNames.has(name) ? undefined : `Host "${name}" is not this machine: use localhost.`;
}

/**
 * The path of a request target. A client may send the whole URL (RFC 9112 §3.2.2); whose it is, the Host
 * header has said. Any other target stays as it is: read as a reference, `//host/` would name another host.
 */
function originForm(target: string): string {
  if (!/^https?:/i.test(target) || !URL.canParse(target)) return target;
  const { pathname, search } = new URL(target);
  return pathname + search;
}

function pass(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  to: { readonly agent: Agent; readonly base: string; readonly path: string },
): void {
  const onward = open(incoming, to);
  if (!onward) return problem(outgoing, 400, "The request target is no path.");
  onward.on("response", (response) => {
    const { connection: _, "keep-alive": __, ...back } = response.headers;
    outgoing.writeHead(response.statusCode ?? 502, back);
    response.pipe(outgoing);
    response.on("error", () => outgoing.destroy());
  });
  onward.on("error", () => {
    if (outgoing.headersSent) outgoing.destroy();
    else problem(outgoing, 503, "The function is not up at the moment.");
  });
  outgoing.on("close", () => onward.destroy());
  incoming.pipe(onward);
}

/** The request to the function that serves it; `undefined` when its target cannot be sent on. */
function open(
  incoming: IncomingMessage,
  { agent, base, path }: { readonly agent: Agent; readonly base: string; readonly path: string },
): ClientRequest | undefined {
  const { hostname, port, host } = new URL(base);
  const { connection: _, "keep-alive": __, ...headers } = incoming.headers;
  try {
    const { method } = incoming;
    // The function compares it with the origin a browser names.
    const named = { host, "x-forwarded-host": incoming.headers.host };
    return request({ agent, hostname, port, path, method, headers: { ...headers, ...named } });
  } catch {
    return undefined;
  }
}

function starting({ headers }: IncomingMessage, outgoing: ServerResponse): void {
  if (!headers.accept?.includes("text/html")) return problem(outgoing, 503, "AuditFlow is starting.");
  outgoing
    .writeHead(503, { "content-type": "text/html; charset=utf-8", "retry-after": "1" })
    .end(startingPage);
}

function problem(outgoing: ServerResponse, status: 400 | 421 | 503, detail: string): void {
  const title = STATUS_CODES[status];
  outgoing
    .writeHead(status, {
      "content-type": "application/problem+json",
      ...(status === 503 ? { "retry-after": "1" } : {}),
    })
    .end(JSON.stringify({ type: "about:blank", title, status, detail }));
}

async function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<number> {
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The gateway has no port.");
  return address.port;
}
