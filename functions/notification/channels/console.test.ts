import { expect, test } from "vitest";

import { createLog } from "../../../runtime/log.ts";
import { messageTypes } from "./channel.ts";
import { channelSettings, openEnvironmentChannels } from "./environment.ts";
import { groupOf, message } from "./receiver.testing.ts";

function openConsole(env: Readonly<Record<string, string>> = {}) {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const log = createLog({ name: "notification", level: "info", destination });
  const channels = openEnvironmentChannels(channelSettings.parse(env), { log, now: () => 0 });
  return { lines, send: channels.get("console")?.send };
}

test("the console says each kind of message in a line of its own, and nothing personal", async () => {
  const { lines, send } = openConsole();
  for (const type of messageTypes)
    await send?.({ id: "1", message: { ...message, type } }, AbortSignal.timeout(1000));
  expect(lines.map(({ msg }) => msg)).toEqual([
    "alert raised: Multiple failed logins",
    "alert reopened: Multiple failed logins",
    "alert still open: Multiple failed logins",
    "alert escalated: Multiple failed logins",
    "digest of alerts: Multiple failed logins",
    "alert resolved: Multiple failed logins",
    "message to try the channel: Multiple failed logins",
  ]);
  expect(lines[0]).toMatchObject({ level: "warn", severity: "HIGH", rule_id: "ssh-bruteforce" });
  expect(JSON.stringify(lines)).not.toMatch(/root|203\.0\.113\.9|bastion/);
});

test("of a group it says how many there are", async () => {
  const { lines, send } = openConsole();
  await send?.({ id: "1", message: groupOf(5) }, AbortSignal.timeout(1000));
  expect(lines).toMatchObject([{ total: 5, route: "soc" }]);
});

test("it can be turned off", () => {
  expect(openConsole({ AUDITFLOW_CONSOLE: "false" }).send).toBeUndefined();
});
