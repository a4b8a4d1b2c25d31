import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Between two looks for connections that have become idle. */
const lookMs = 20;
/** For answers given at the last moment to leave. */
const lastFlushMs = 500;

export interface DrainOptions {
  /** The connections of the server, in use or not. */
  readonly sockets: ReadonlySet<Socket>;
  readonly timeoutMs: number;
  /** Ends what is still in flight after `timeoutMs`. */
  readonly abort: () => void;
}

/** Stops accepting, lets what is in flight finish, and resolves once every connection is closed. */
export async function drain(server: Server, { sockets, timeoutMs, abort }: DrainOptions): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // The callback gets an error when the server does not listen any more, which is what we want.
  server.close(() => resolve());
  const look = () => {
    server.closeIdleConnections();
    // Node does not count a connection as idle that never carried a request.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  };
  look();
  const looking = setInterval(look, lookMs);
  let cutting: NodeJS.Timeout | undefined;
  const waiting = setTimeout(() => {
    abort();
    cutting = setTimeout(() => server.closeAllConnections(), lastFlushMs);
  }, timeoutMs);
  await promise;
  clearInterval(looking);
  clearTimeout(waiting);
  clearTimeout(cutting);
}

/** The connections of a server that has none yet, kept up to date. */
export function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return sockets;
}
