import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const executablePath = process.env["AUDITFLOW_TEST_CHROMIUM"] ?? "/usr/bin/chromium";
const required = process.env["AUDITFLOW_TEST_SERVERS"] === "required";

/** Whether page tests can run; with AUDITFLOW_TEST_SERVERS=required they must. */
export const chromiumInstalled = existsSync(executablePath);
if (!chromiumInstalled) {
  const reason = `Chromium is not at ${executablePath} (set AUDITFLOW_TEST_CHROMIUM)`;
  if (required) throw new Error(`${reason}, and AUDITFLOW_TEST_SERVERS=required.`);
  process.stderr.write(`skipped: ${reason}\n`);
}

/** A headless browser that talks to nobody but the page under test. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
