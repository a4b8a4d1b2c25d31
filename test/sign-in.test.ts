import { describe, expect, test } from "vitest";

import { generator } from "../functions/generator/function.ts";
import { dashboard } from "../functions/dashboard/function.ts";
import { notification } from "../functions/notification/function.ts";
import { createLog } from "../runtime/log.ts";
import { serve } from "../runtime/serve.ts";
import { chromiumInstalled, openBrowser } from "./support/chromium.ts";
import { openTestDatabase } from "./support/database.ts";
import { openGuardedFunctions } from "./support/guarded.ts";

const log = createLog({ name: "test", level: "silent" });

describe.skipIf(!chromiumInstalled)("the page", () => {
  test("asks for a credential where one is needed, and shows alerts with it", async () => {
    await using functions = await openGuardedFunctions();
    await using browser = await openBrowser();
    const page = await browser.newPage();
    await page.goto(functions.urls.dashboard);
    await page.getByText("Not up to date:").waitFor();
    const field = page.getByLabel("API key or access token");
    await field.fill(functions.keys.ingest);
    await page.keyboard.press("Enter");
    await page.getByText('This needs the scope "viewer"').waitFor();
    await field.fill(functions.keys.viewer);
    await page.keyboard.press("Enter");
    await page.getByText("No alerts yet.").waitFor();
    await field.waitFor({ state: "hidden" });
    expect(await page.getByRole("note").isHidden()).toBe(true);
  });

  test("says that nobody is asked who they are, where others can come", async () => {
    await using database = await openTestDatabase();
    const env = { DATABASE_URL: database.url, AUDITFLOW_AUTH: "none", AUDITFLOW_CONSOLE: "false" };
    await using store = await serve(notification, { env, port: 0, overrides: { log } });
    await using shown = await serve(dashboard, {
      env: { AUDITFLOW_NOTIFICATION_URL: store.url, AUDITFLOW_AUTH: "none" },
      port: 0,
      overrides: { log },
    });
    await using browser = await openBrowser();
    const page = await browser.newPage();
    await page.goto(shown.url);
    await page.getByText("AUDITFLOW_AUTH=none: everybody who can reach this address").waitFor();
    expect(await page.getByRole("note").isVisible()).toBe(true);
  });
});

test("records that their source signs need no other credential; all others do", async () => {
  const env = {
    DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
    K_SINK: "http://127.0.0.1:1/",
    AUDITFLOW_AUTH: "keys",
    AUDITFLOW_GITHUB_SECRET: "not-a-real-secret",
  };
  await using served = await serve(generator, { env, port: 0, host: "127.0.0.1", overrides: { log } });
  const send = async (path: string) => {
    const response = await fetch(served.url + path, { method: "POST", body: "{}" });
    return [response.status, await response.json()];
  };
  expect(await send("/sources/github")).toMatchObject([401, { code: "SIGNATURE_INVALID" }]);
  expect(await send("/sources/falco")).toMatchObject([401, { code: "UNAUTHENTICATED" }]);
});
