import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { describe, expect, test } from "vitest";

import { openPoster } from "./post.ts";

const request = { headers: { "ce-id": "1" }, body: Buffer.from("data") };

async function openServer(
  stack: AsyncDisposableStack,
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
) {
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => answer(incoming, response, Buffer.concat(chunks).toString()));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

describe("a POST", () => {
  test.for([
    [301, "GET", ""],
    [302, "GET", ""],
    [303, "GET", ""],
    [307, "POST", "data"],
    [308, "POST", "data"],
  ] as const)("follows a %i with %s", async ([status, method, body]) => {
    await using stack = new AsyncDisposableStack();
    const seen: (readonly [string | undefined, string])[] = [];
    const { url } = await openServer(stack, (incoming, response, text) => {
      if (incoming.url === "/") return response.writeHead(status, { location: "/there" }).end();
      seen.push([incoming.method, text]);
      return response.writeHead(204).end();
    });
    const poster = stack.use(openPoster());
    expect((await poster.post(url, request, 5000)).status).toBe(204);
    expect(seen).toEqual([[method, body]]);
  });

  test("gives up after ten redirects", async () => {
    await using stack = new AsyncDisposableStack();
    let hops = 0;
    const { url } = await openServer(stack, (_incoming, response) => {
      hops += 1;
      response.writeHead(307, { location: "/" }).end();
    });
    const poster = stack.use(openPoster());
    await expect(poster.post(url, request, 5000)).rejects.toThrow(/redirects/);
    expect(hops).toBe(11);
  });

  test("gets no answer when the deadline passes, also in the middle of a body", async () => {
    await using stack = new AsyncDisposableStack();
    const { url } = await openServer(stack, (_incoming, response) => {
      response.writeHead(200, { "content-length": 10 }).write("half");
    });
    const poster = stack.use(openPoster());
    await expect(poster.post(url, request, 50)).rejects.toThrow("aborted");
  });

  test("is made again at once when a kept connection turns out to be closed", async () => {
    await using stack = new AsyncDisposableStack();
    let requests = 0;
    const { url } = await openServer(stack, (incoming, response) => {
      requests += 1;
      // The second request on a connection finds it closed, as when it met the end of an idle one.
      if (requests === 2) return incoming.socket.destroy();
      return response.writeHead(204).end();
    });
    const poster = stack.use(openPoster());
    expect((await poster.post(url, request, 5000)).status).toBe(204);
    expect((await poster.post(url, request, 5000)).status).toBe(204);
    expect(requests).toBe(3);
  });

  test("fails when the poster is closed", async () => {
    await using stack = new AsyncDisposableStack();
    const asked = Promise.withResolvers<void>();
    const { url } = await openServer(stack, () => asked.resolve());
    const poster = openPoster();
    const answer = poster.post(url, request, 0);
    await asked.promise;
    poster[Symbol.dispose]();
    await expect(answer).rejects.toThrow("aborted");
  });
});
