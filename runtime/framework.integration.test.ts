import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

import { hostConformance } from "./host.conformance.ts";
import { exchange } from "./host-client.testing.ts";
import { startProcess } from "./process.testing.ts";

const cli = fileURLToPath(
  import.meta.resolve("@google-cloud/functions-framework").replace(/index\.js$/, "main.js"),
);
const source = fileURLToPath(new URL("echo.framework.testing.ts", import.meta.url));

/** The framework's own command line, as a process of its own. */
hostConformance("functions-framework", (env) =>
  startProcess([cli, "--target=echo", `--source=${source}`], env),
);

test("its listener refuses headers beyond 16 KiB, where ours takes 256 KiB", async () => {
  await using host = await startProcess([cli, "--target=echo", `--source=${source}`], {
    LOG_LEVEL: "silent",
  });
  const request = `POST / HTTP/1.1\r\nHost: x\r\nce-id: ${"x".repeat(20_000)}\r\n\r\n`;
  expect((await exchange(host.url, Buffer.from(request, "latin1"))).status).toBe(431);
});
