import { describe, expect, test } from "vitest";

import { chromiumInstalled, openBrowser } from "./support/chromium.ts";
import { openTestPipeline, type TestPipeline } from "./support/pipeline.ts";

const hostile = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;

async function edit(pipeline: TestPipeline, fields: object): Promise<void> {
  const response = await fetch(`${pipeline.urlOf("generator")}/events`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      event_type: "file_modified",
      action_result: "MODIFIED",
      resource: "/etc/shadow",
      ...fields,
    }),
  });
  expect(response.status).toBe(202);
}

describe.skipIf(!chromiumInstalled)("the page", () => {
  test("shows alerts as they come, and one in detail, by keyboard too", async () => {
    await using pipeline = await openTestPipeline();
    await using browser = await openBrowser();
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));

    await page.goto(pipeline.urlOf("dashboard"));
    await page.getByText("No alerts yet.").waitFor();

    await edit(pipeline, { user_id: "deploy", server_hostname: "edge-2" });
    const row = page.getByRole("row").filter({ hasText: "deploy" });
    await row.waitFor();
    expect(await row.innerText()).toMatch(
      /CRITICAL\s+Sensitive File Modification Detected\s+open\s+deploy\s+edge-2\s+1/,
    );
    await page.getByText("Live · 1 alert").waitFor();

    await row.getByRole("button").focus();
    await page.keyboard.press("Enter");
    const detail = page.getByRole("region", { name: "Sensitive File Modification Detected" });
    await detail.getByText("/etc/shadow", { exact: true }).waitFor();
    expect(await detail.locator("pre").innerText()).toContain('"event_type": "file_modified"');
    await page.getByRole("button", { name: "Close" }).click();
    await detail.waitFor({ state: "hidden" });
    expect(complaints).toEqual([]);
  });

  test("shows what an event contains as text, whatever it contains", async () => {
    await using pipeline = await openTestPipeline();
    await using browser = await openBrowser();
    const page = await browser.newPage();
    const dialogs: string[] = [];
    page.on("dialog", async (dialog) => {
      dialogs.push(dialog.message());
      await dialog.dismiss();
    });

    await edit(pipeline, { user_id: hostile, server_hostname: hostile });
    await page.goto(pipeline.urlOf("dashboard"));
    await page.getByRole("row").filter({ hasText: "onerror" }).getByRole("button").click();
    await page.getByText(hostile).first().waitFor();
    expect(dialogs).toEqual([]);
    expect(await page.locator("main img, main script").count()).toBe(0);
  });

  test("says so when alerts cannot be read, and recovers", async () => {
    await using pipeline = await openTestPipeline();
    await using browser = await openBrowser();
    const page = await browser.newPage();
    await page.goto(pipeline.urlOf("dashboard"));
    await page.getByText("Live · 0 alerts").waitFor();
    await page.route("**/alerts?*", (route) => route.abort());
    await page.getByText("Not up to date").waitFor();
    await page.unroute("**/alerts?*");
    await page.getByText("Live · 0 alerts").waitFor();
    expect(await page.locator("#status.down").count()).toBe(0);
  });
});
