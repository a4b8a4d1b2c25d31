import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";

import {
  envelope,
  mebibyte,
  padded,
  quiet,
  recordOf,
  sendRaw,
  type Reply,
  type UnderTest,
} from "./host-client.testing.ts";

/** What is no delivery: the function's routes and the runtime's own paths. */
export function describeRoutes(under: UnderTest): void {
  describe("routes for people", () => {
    const problem = (reply: Reply) => JSON.parse(reply.body.toString()) as { status: number; detail: string };

    test("a route of the function gets the body as it was sent", async () => {
      expect(
        (await under.client.post({ "content-type": "application/json" }, "{broken", "/echo")).body.toString(),
      ).toBe("{broken");
    });

    test.for([
      ["GET", "/nowhere", {}, 404],
      ["POST", "/nowhere", {}, 404],
      ["GET", "/echo", { allow: "POST" }, 405],
      ["GET", "/", { allow: "POST" }, 405],
      ["DELETE", "/livez", { allow: "GET" }, 405],
      ["POST", "/loglevel", { allow: "GET, PUT" }, 405],
      ["GET", "/away", { "retry-after": "1" }, 503],
      ["GET", "/fails", {}, 500],
    ] as const)("%s %s is answered with a problem", async ([method, path, headers, status]) => {
      const reply = await under.client.get(path, { method });
      expect(reply.status).toBe(status);
      expect(reply.headers.get("content-type")).toBe("application/problem+json");
      expect(Object.fromEntries(reply.headers)).toMatchObject(headers);
      expect(problem(reply)).toMatchObject({ status });
      expect(problem(reply).detail).not.toContain("unexpected");
    });

    test("a compressed body is a problem", async () => {
      const reply = await under.client.post({ "content-encoding": "gzip" }, gzipSync("{}"), "/echo");
      expect([reply.status, problem(reply).status]).toEqual([415, 415]);
    });

    test.for<Record<string, string>>([{}, { "transfer-encoding": "chunked" }])(
      "a body over the limit is a problem %#",
      async (headers) => {
        const reply = await sendRaw(`${under.client.url}/echo`, headers, "x".repeat(mebibyte + 1));
        expect([reply.status, problem(reply).status]).toEqual([413, 413]);
        await under.client.expectAlive();
      },
    );

    test("a delivery path answers a broker, so never with 4xx", async () => {
      expect((await under.client.post(envelope, quiet, "/dead-letters")).status).toBe(201);
      expect((await under.client.post({}, quiet, "/dead-letters")).status).toBe(500);
      const large = await sendRaw(`${under.client.url}/dead-letters`, envelope, padded(mebibyte + 1));
      expect(recordOf(large).data.code).toBe("EVENT_TOO_LARGE");
      const compressed = await under.client.post(
        { ...envelope, "content-encoding": "gzip" },
        gzipSync(quiet),
        "/dead-letters",
      );
      expect(recordOf(compressed).data.code).toBe("EVENT_BODY_INVALID");
    });
  });

  describe("the runtime's own paths", () => {
    test("/livez, /readyz and /healthz say how it is", async () => {
      expect((await under.client.get("/livez")).status).toBe(200);
      expect((await under.client.get("/readyz")).status).toBe(200);
      const healthz = JSON.parse((await under.client.get("/healthz")).body.toString()) as unknown;
      expect(healthz).toMatchObject({
        status: "ok",
        function: "echo",
        version: expect.any(String) as unknown,
        dependencies: [{ name: "store", up: true, impairs: ["keeping things"] }],
        impaired: [],
      });
    });

    test("/metrics speaks the Prometheus text format and says what runs", async () => {
      const reply = await under.client.get("/metrics");
      expect(reply.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
      expect(reply.body.toString()).toMatch(
        /^auditflow_build_info\{version="[^"]+",revision="",function="echo"\} 1$/m,
      );
      expect(reply.body.toString()).toMatch(/^process_resident_memory_bytes\{function="echo"\} \d+$/m);
    });

    test.for([
      ['{"level":"error"}', 200, "error"],
      ["WARNING", 200, "warn"],
      ['{"level":"loud"}', 400, undefined],
      ["{", 400, undefined],
      ["", 400, undefined],
    ] as const)("PUT /loglevel %s is answered %i", async ([body, status, level]) => {
      expect((await under.client.get("/loglevel", { method: "PUT", body })).status).toBe(status);
      const now = JSON.parse((await under.client.get("/loglevel")).body.toString()) as { level: string };
      if (level !== undefined) expect(now.level).toBe(level);
      await under.client.get("/loglevel", { method: "PUT", body: "silent" });
    });
  });
}
