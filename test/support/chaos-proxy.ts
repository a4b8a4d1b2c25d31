import { once } from "node:events";
import { createConnection, createServer, type Server, type Socket } from "node:net";

import { lowPort } from "./low-port.ts";

/**
 * What a proxy does to its connections. `freeze` holds bytes and lets them go later; `blackhole` leaves
 * the connections it meets open and silent for ever; `refuse` is a machine without a listener; `reset`
 * answers everybody with a RST; `cut` ends connections in the middle of a chunk, by chance.
 */
export type ProxyMode =
  | { readonly kind: "ok" | "freeze" | "blackhole" | "refuse" | "reset" }
  | { readonly kind: "latency"; readonly ms: number }
  | { readonly kind: "cut"; readonly probability: number };

/** What happened to connections; a fault that met none is no evidence. */
export interface ProxyCounts {
  /** Taken since the proxy opened. */
  connections: number;
  /** Connections or chunks that a mode other than `ok` did something to, by mode. */
  readonly hits: Record<ProxyMode["kind"], number>;
}

/** A TCP proxy on loopback before one server, on a port that stays the same. */
export interface ChaosProxy extends AsyncDisposable {
  readonly port: number;
  readonly counts: ProxyCounts;
  /** Connections that are open, without those that `blackhole` left behind. */
  open(): number;
  set(mode: ProxyMode): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  /** It met `blackhole`, and never speaks again. */
  isDead: boolean;
}

/** Opens a proxy to a port of this machine; `random` decides which chunks are cut. */
export async function openChaosProxy(target: number, random: () => number): Promise<ChaosProxy> {
  const pairs = new Set<Pair>();
  const counts: ProxyCounts = {
    connections: 0,
    hits: { ok: 0, freeze: 0, blackhole: 0, refuse: 0, reset: 0, latency: 0, cut: 0 },
  };
  let mode: ProxyMode = { kind: "ok" };

  function connect(client: Socket): void {
    counts.connections += 1;
    if (mode.kind === "reset") {
      counts.hits.reset += 1;
      client.on("error", () => {}).resetAndDestroy();
      return;
    }
    const upstream = createConnection({ host: "127.0.0.1", port: target });
    const pair: Pair = { client, upstream, isDead: false };
    pairs.add(pair);
    join(pair, client, upstream);
    join(pair, upstream, client);
    apply(pair);
  }

  function join(pair: Pair, from: Socket, to: Socket): void {
    from.setNoDelay(true);
    from.on("data", (chunk: Buffer) => forward(pair, chunk, { from, to }));
    from.on("error", () => {});
    from.on("drain", () => !isHeld(pair) && to.resume());
    from.on("end", () => !pair.isDead && to.end());
    from.on("close", () => {
      if (pair.isDead) return;
      pairs.delete(pair);
      to.destroy();
    });
  }

  function forward(pair: Pair, chunk: Buffer, { from, to }: { from: Socket; to: Socket }): void {
    if (mode.kind === "cut" && random() < mode.probability) {
      counts.hits.cut += 1;
      to.write(chunk.subarray(0, Math.ceil(chunk.length / 2)), () => end(pair));
    } else if (mode.kind === "latency") {
      counts.hits.latency += 1;
      // Nothing is read meanwhile, so chunks cannot overtake each other.
      from.pause();
      setTimeout(() => {
        if (!to.destroyed) to.write(chunk);
        if (!isHeld(pair)) from.resume();
      }, mode.ms);
    } else if (!to.write(chunk)) from.pause();
  }

  /** Dropping bytes and going on would be a fault that TCP does not have, so held sockets are paused. */
  function isHeld({ isDead }: Pair): boolean {
    return isDead || mode.kind === "freeze";
  }

  function apply(pair: Pair): void {
    const { client, upstream } = pair;
    if (mode.kind === "blackhole") pair.isDead = true;
    if (mode.kind !== "ok") counts.hits[mode.kind] += 1;
    if (mode.kind === "refuse" || mode.kind === "reset") end(pair);
    for (const socket of [client, upstream]) {
      if (isHeld(pair)) socket.pause();
      else socket.resume();
    }
  }

  function end(pair: Pair): void {
    pairs.delete(pair);
    pair.client.resetAndDestroy();
    pair.upstream.resetAndDestroy();
  }

  const server = createServer(connect);
  const port = await lowPort();
  await listen(server, port);
  return {
    port,
    counts,
    open: () => [...pairs].filter(({ isDead }) => !isDead).length,
    async set(next) {
      mode = next;
      if (next.kind === "refuse" && server.listening) server.close();
      for (const pair of pairs) if (next.kind !== "cut" && next.kind !== "latency") apply(pair);
      if (next.kind !== "refuse" && !server.listening) await listen(server, port);
    },
    async [Symbol.asyncDispose]() {
      const closed = server.listening ? once(server, "close") : undefined;
      if (closed) server.close();
      for (const pair of pairs) end(pair);
      await closed;
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
}
