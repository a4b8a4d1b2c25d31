import { expect, test } from "vitest";

import { decodeRequest } from "../events/http.ts";
import { createLog } from "./log.ts";
import { echo } from "./echo.testing.ts";
import { hostConformance } from "./host.conformance.ts";
import { serve } from "./serve.ts";

hostConformance("serve", async (env) => {
  const served = await serve(echo, { env, port: 0, host: "127.0.0.1" });
  return {
    url: served.url,
    exitCode: () => undefined,
    [Symbol.asyncDispose]: () => served[Symbol.asyncDispose](),
  };
});

test("attributes of 40 KiB, which a broker may deliver, are rejected with a record and not lost", async () => {
  const overrides = { log: createLog({ name: "test", level: "silent" }) };
  await using served = await serve(echo, { env: {}, port: 0, host: "127.0.0.1", overrides });
  const headers = { "ce-specversion": "1.0", "ce-id": "x".repeat(40_000), "ce-source": "/s", "ce-type": "t" };
  const response = await fetch(served.url, { method: "POST", headers, body: "{}" });
  expect(response.status).toBe(200);
  const record = decodeRequest({
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.arrayBuffer()),
  });
  expect(record).toMatchObject({
    type: "io.auditflow.event.rejected.v1",
    data: { code: "EVENT_ATTRIBUTE_INVALID", event: { source: "/s" } },
  });
});
