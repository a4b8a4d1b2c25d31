import { createServer as createHttpsServer } from "node:https";
import { createServer } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { describe, expect, test } from "vitest";

import { createCertificate } from "./certificate.testing.ts";
import { ChannelError } from "./channel.ts";
import { lookupOf, openPost } from "./guard.testing.ts";
import { now, openReceiver } from "./receiver.testing.ts";
import { retryAfterMs } from "./retry-after.ts";

describe("a request that is let through", () => {
  test("of an answer without end the beginning is read, and then nobody listens any more", async () => {
    let written = 0;
    const chunk = "x".repeat(10_000);
    const endless = createServer((socket) => {
      const write = () => {
        while (!socket.destroyed && socket.write(chunk)) written += chunk.length;
      };
      socket
        .on("error", () => {})
        .on("drain", write)
        .resume();
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n");
      write();
    });
    await new Promise<void>((resolve) => endless.listen(0, "127.0.0.1", resolve));
    const bound = endless.address();
    const port = typeof bound === "object" ? bound?.port : undefined;
    const answer = await openPost(["127.0.0.1"])(`http://127.0.0.1:${port}/`, 3000);
    expect(answer.body).toBe("x".repeat(65_536));
    await new Promise((resolve) => endless.close(resolve));
    expect(written).toBeLessThan(20_000_000);
  });

  test("a body in more than ASCII arrives whole", async () => {
    await using receiver = await openReceiver();
    await openPost(["127.0.0.1"])(receiver.url, 1000, "▲ 田中");
    expect(receiver.requests[0]).toMatchObject({ method: "POST", body: "▲ 田中" });
  });

  test("https: the certificate must be for the name, whatever address was taken", async () => {
    const { key, cert } = createCertificate();
    const usual = getCACertificates("default");
    const server = createHttpsServer({ key, cert }, (_request, response) => void response.end("secure"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const bound = server.address();
    const port = typeof bound === "object" ? bound?.port : undefined;
    const lookup = lookupOf({ localhost: ["127.0.0.1"], "hooks.example": ["127.0.0.1"] });
    const post = openPost(["127.0.0.1", "localhost"], lookup);
    await expect(post(`https://localhost:${port}/`)).rejects.toMatchObject({
      code: "DEPTH_ZERO_SELF_SIGNED_CERT",
    });
    setDefaultCACertificates([...usual, cert]);
    await expect(post(`https://localhost:${port}/`)).resolves.toMatchObject({ status: 200, body: "secure" });
    await expect(post(`https://hooks.example:${port}/`)).rejects.toMatchObject({
      code: "ERR_TLS_CERT_ALTNAME_INVALID",
    });
    setDefaultCACertificates(usual);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test("silence ends in a TimeoutError", async () => {
    await using silent = await openReceiver(() => ({ status: 0 }));
    await expect(openPost(["127.0.0.1"])(silent.url, 100)).rejects.toMatchObject({ name: "TimeoutError" });
  });

  test("an answer that halts after its status has been given all the same", async () => {
    const halting = createServer((socket) => {
      socket.on("error", () => {}).resume();
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
    });
    await new Promise<void>((resolve) => halting.listen(0, "127.0.0.1", resolve));
    const address = halting.address();
    const port = typeof address === "object" ? address?.port : undefined;
    await expect(openPost(["127.0.0.1"])(`http://127.0.0.1:${port}/`, 300)).resolves.toMatchObject({
      status: 200,
      body: "half",
    });
    await new Promise((resolve) => halting.close(resolve));
  });

  test("a resolver that never answers ends in a TimeoutError", async () => {
    const post = openPost([], () => new Promise(() => {}));
    await expect(post("https://hooks.example/", 100)).rejects.toMatchObject({ name: "TimeoutError" });
  });

  test("a connection that is refused may be another time", async () => {
    const closed = await openReceiver();
    await closed[Symbol.asyncDispose]();
    const error = await openPost(["127.0.0.1"])(closed.url).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: "ECONNREFUSED" });
    expect(error).not.toBeInstanceOf(ChannelError);
  });

  test.for([
    ["120", 120_000],
    ["0", 0],
    ["0.35", 350],
    ["999999", 3_600_000],
    ["Sat, 21 Nov 2026 12:01:30 GMT", 30_000],
    ["Sat, 21 Nov 2026 11:00:00 GMT", 0],
    ["Sun, 22 Nov 2026 12:01:30 GMT", 3_600_000],
    ["soon", undefined],
    [undefined, undefined],
  ] as const)("Retry-After: %s is %s ms", ([value, expected]) => {
    expect(retryAfterMs(value, now)).toBe(expected);
  });
});
