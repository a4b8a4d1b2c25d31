import { lookup as lookUp } from "node:dns/promises";
import type { IncomingMessage } from "node:http";
import { isIP, isIPv6, type LookupFunction } from "node:net";
import { urlToHttpOptions } from "node:url";

import { type Allow, allowSettingName, refusal, toHost } from "./allow.ts";
import { ChannelError } from "./channel.ts";
import { retryAfterMs } from "./retry-after.ts";

/** All addresses of a name; rejects when there is none. */
export type Lookup = (host: string) => Promise<readonly { readonly address: string }[]>;

export interface GuardDeps {
  readonly allow: Allow;
  /** The system's resolver when absent. */
  readonly lookup?: Lookup;
}

/** Where a connection may go: the addresses were all found to be allowed, and no others may be taken. */
export interface Way {
  readonly host: string;
  readonly addresses: readonly string[];
}

/** Resolves a host once and checks it; rejects with a ChannelError that does not pass when it is refused. */
export type Guard = (
  destination: { readonly host: string; readonly encrypted: boolean },
  signal: AbortSignal,
) => Promise<Way>;

/** A guard against requests to loopback, the cluster, metadata services and other places that are not public. */
export function createGuard({ allow, lookup = lookUpAll }: GuardDeps): Guard {
  return async ({ host: given, encrypted }, signal) => {
    const host = hostOf(given);
    const addresses = isIP(host) ? [host] : await unlessAborted(resolve(host, lookup), signal);
    const reason = refusal({ host, addresses, encrypted }, allow);
    if (reason === undefined) return { host, addresses };
    throw new ChannelError(`${host} ${reason}: it is not allowed by ${allowSettingName}.`, false);
  };
}

export interface GuardedRequest {
  readonly url: string;
  /** POST when absent. */
  readonly method?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** How much of the answer is read; 64 KiB when absent. */
  readonly maxBytes?: number;
}

export interface GuardedAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** As much as was asked for; what is not UTF-8 is replaced. */
  readonly body: string;
  /** What `Retry-After` asks for, capped. */
  readonly retryAfterMs: number | undefined;
}

/**
 * Sends one request to where it is allowed to go. The name is resolved once and the connection made to
 * what was checked; redirects are answers like others. Rejects with a ChannelError that does not pass when
 * the destination is refused, with a TimeoutError, or with the error of the connection.
 */
export type GuardedPost = (request: GuardedRequest) => Promise<GuardedAnswer>;

const standardMaxBytes = 65_536;

export function createGuardedPost(deps: GuardDeps & { readonly now: () => number }): GuardedPost {
  const guard = createGuard(deps);
  return async (request) => {
    const url = urlOf(request.url);
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(request.timeoutMs)]);
    signal.throwIfAborted();
    const way = await guard({ host: url.hostname, encrypted: url.protocol === "https:" }, signal);
    const response = await open({ ...request, signal }, url, way);
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: await read(response, request.maxBytes ?? standardMaxBytes),
      retryAfterMs: retryAfterMs(response.headers["retry-after"], deps.now()),
    };
  };
}

/** The address, when it is one that a channel may have at all; errors name the host and nothing more. */
function urlOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new ChannelError("The address of the channel is not a URL.", false);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new ChannelError(`The address of the channel is ${url.protocol}: expected https: or http:.`, false);
  }
  if (url.username !== "" || url.password !== "") {
    throw new ChannelError(`The address at ${url.host} holds credentials: expected none.`, false);
  }
  return url;
}

function open(request: GuardedRequest, url: URL, way: Way): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  // Loaded here and not at the top: a startup snapshot cannot contain them.
  const http = process.getBuiltinModule(url.protocol === "https:" ? "node:https" : "node:http");
  const { method = "POST", headers, body, signal } = request;
  const hasBody = body.length > 0;
  const outgoing = http.request({
    ...urlToHttpOptions(url),
    method,
    headers: { ...headers, ...(hasBody && { "content-length": String(Buffer.byteLength(body)) }) },
    // A connection of its own, so that none is used that was checked for something else.
    agent: false,
    lookup: pinnedTo(way.addresses),
    signal,
  });
  outgoing.once("response", resolve);
  outgoing.on("error", (error) => reject(signal.aborted ? reasonOf(signal) : error));
  outgoing.end(hasBody ? body : undefined);
  return promise;
}

/** Answers with the addresses that were checked, whatever the name resolves to by now. */
export function pinnedTo(addresses: readonly string[]): LookupFunction {
  const pinned = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  return (_host, options, done) => {
    const [first] = pinned;
    if (options.all) done(null, pinned);
    else done(null, first?.address ?? "", first?.family);
  };
}

/** The beginning of the body; the rest is not waited for, nor is one that does not come in time. */
async function read(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response) {
      chunks.push(Buffer.from(chunk));
      length += chunk.length;
      if (length >= maxBytes) break;
    }
  } catch {
    // The status is known, so that the receiver has decided: what is missing of the body changes nothing.
  }
  return Buffer.concat(chunks).subarray(0, maxBytes).toString("utf8");
}

/** `127.1`, `0x7f000001` and the like become the addresses they are; brackets go. */
function hostOf(given: string): string {
  const literal = isIPv6(given) && !given.includes("%") ? `[${given}]` : given;
  const url = URL.parse(`http://${literal}/`);
  if (url === null || url.pathname !== "/" || url.port !== "" || url.username !== "") {
    throw new ChannelError(`"${given.slice(0, 100)}" is not a host.`, false);
  }
  return toHost(url.hostname).replace(/^\[(.*)\]$/, "$1");
}

async function resolve(host: string, lookup: Lookup): Promise<readonly string[]> {
  const found = await lookup(host);
  return found.map(({ address }) => address);
}

function lookUpAll(host: string): Promise<readonly { readonly address: string }[]> {
  return lookUp(host, { all: true, order: "verbatim" });
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(reasonOf(signal));
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
}
