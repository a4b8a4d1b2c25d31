import { Duplex } from "node:stream";

import { connect, type ChannelModel } from "amqplib";

/** A connection that is always being had again. */
export interface Link<Session extends object> extends AsyncDisposable {
  /** What `open` made of the connection, while it lasts. */
  current(): Session | undefined;
  /** Why there is none. */
  reason(): unknown;
}

export interface ConnectionLife {
  /** Ends the connection. */
  readonly fail: (reason: unknown) => void;
  /** Aborted when it ends. */
  readonly signal: AbortSignal;
}

export interface LinkOptions<Session extends object> {
  /** A heartbeat is added where the URL names none. */
  readonly url: string;
  /**
   * Prepares a fresh connection; it is closed and had again when this rejects and when `fail` is called.
   */
  readonly open: (connection: ChannelModel, life: ConnectionLife) => Promise<Session>;
  readonly onChange: (up: boolean, reason?: unknown) => void;
}

/** A dead peer is noticed after two of these at the latest. */
const heartbeatSeconds = 5;
const connectTimeoutMs = 5000;
/** How long closing anything may take. */
export const closeTimeoutMs = 2000;
const backoffMs = { first: 100, longest: 5000 };

/** Connects in the background, and again with growing pauses whenever the connection is lost. */
export function keepConnected<Session extends object>({
  url,
  open,
  onChange,
}: LinkOptions<Session>): Link<Session> {
  const closing = new AbortController();
  let current: Session | undefined;
  let reason: unknown = new Error("not connected yet");

  /** Resolves when a connection that was had is lost; rejects when none can be had. */
  async function hold(): Promise<void> {
    const connection = await connect(withHeartbeat(url), { timeout: connectTimeoutMs, noDelay: true });
    const ended = new AbortController();
    const fail = (cause: unknown) => ended.abort(cause);
    connection.on("error", fail);
    connection.on("close", (cause) => fail(cause ?? new Error("the connection was closed")));
    const stop = () => fail(closing.signal.reason);
    // A signal that was aborted while we were connecting tells nobody any more.
    if (closing.signal.aborted) return closeQuietly(connection);
    closing.signal.addEventListener("abort", stop);
    try {
      // What waits for an answer on a connection that ends may wait for ever.
      const end = aborted(ended.signal);
      const session = await Promise.race([open(connection, { fail, signal: ended.signal }), end]);
      if (!session) throw ended.signal.reason;
      current = session;
      onChange(true);
      await end;
      reason = ended.signal.reason;
    } finally {
      current = undefined;
      closing.signal.removeEventListener("abort", stop);
      fail(new Error("the connection could not be prepared"));
      await closeQuietly(connection);
    }
  }

  async function run(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted; failures += 1) {
      try {
        await hold();
        failures = 0;
      } catch (error) {
        reason = error;
      }
      if (closing.signal.aborted) return;
      onChange(false, reason);
      await pause(Math.min(backoffMs.first * 2 ** failures, backoffMs.longest), closing.signal);
    }
  }

  const running = run();
  return {
    current: () => current,
    reason: () => reason,
    async [Symbol.asyncDispose]() {
      closing.abort(new Error("the broker is closed"));
      await running;
    },
  };
}

function withHeartbeat(url: string): string {
  const parsed = new URL(url);
  if (!parsed.searchParams.has("heartbeat")) parsed.searchParams.set("heartbeat", String(heartbeatSeconds));
  return parsed.href;
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}

/** A server that hangs must keep us neither from connecting anew nor from ending the process. */
async function closeQuietly(connection: ChannelModel): Promise<void> {
  const closed = connection.close().then(
    () => true,
    () => true,
  );
  if (await within(closeTimeoutMs, closed)) return;
  // The socket is no part of the library's interface, and there is no other way to let go of it.
  const stream = "stream" in connection.connection ? connection.connection.stream : undefined;
  if (stream instanceof Duplex) stream.destroy();
}

/** What a promise resolves to, or `undefined` when that takes longer. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const settled = new AbortController();
  try {
    return await Promise.race([promise, pause(ms, settled.signal).then(() => undefined)]);
  } finally {
    settled.abort();
  }
}

/** Resolves after `ms`, or as soon as the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
