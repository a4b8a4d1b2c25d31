import { z } from "zod";

import { flagSetting, urlSetting } from "../../../runtime/settings.ts";
import { allowSetting } from "./allow.ts";
import type { ChannelDeps, OpenChannel } from "./channel.ts";
import { consoleChannel } from "./console.ts";
import { type ChannelWorld, createChannelDeps } from "./deps.ts";
import { checkWebhookSecret, createWebhook } from "./webhook.ts";

const webhookSecret = z
  .string()
  .trim()
  .superRefine((text, context) => {
    const problem = checkWebhookSecret(text);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });

/** What channels read from the environment. */
export const channelSettings = z
  .object({
    AUDITFLOW_CONSOLE: flagSetting.default(true),
    AUDITFLOW_WEBHOOK_URL: urlSetting({
      schemes: ["http", "https"],
      example: "https://hooks.example/alerts",
    }).optional(),
    AUDITFLOW_WEBHOOK_SECRET: webhookSecret.optional(),
    AUDITFLOW_WEBHOOK_TIMEOUT_MS: z.coerce.number().int().min(100).max(15_000).default(10_000),
    /** Where channels may go besides public addresses. */
    AUDITFLOW_CHANNEL_ALLOW: allowSetting.default([]),
  })
  .refine((env) => env.AUDITFLOW_WEBHOOK_URL === undefined || env.AUDITFLOW_WEBHOOK_SECRET !== undefined, {
    path: ["AUDITFLOW_WEBHOOK_SECRET"],
    error: "is required with AUDITFLOW_WEBHOOK_URL: webhooks are signed",
    // Also when another setting is wrong, so that all problems are reported together.
    when: ({ issues }) => !issues.some(({ path }) => path?.[0] === "AUDITFLOW_WEBHOOK_SECRET"),
  });
export type ChannelSettings = z.infer<typeof channelSettings>;

/**
 * The channels that the environment turns on, by name: `console` and `webhook`. Whoever sets
 * AUDITFLOW_WEBHOOK_URL could set AUDITFLOW_CHANNEL_ALLOW as well, so its host counts as allowed.
 */
export function openEnvironmentChannels(
  settings: ChannelSettings,
  world: Pick<ChannelWorld, "now" | "log" | "lookup">,
): ReadonlyMap<string, OpenChannel> {
  const { AUDITFLOW_WEBHOOK_URL: url, AUDITFLOW_CHANNEL_ALLOW: allow } = settings;
  const readSecret = () => settings.AUDITFLOW_WEBHOOK_SECRET ?? "";
  const host = url === undefined ? [] : [new URL(url).hostname.replace(/^\[(.*)\]$/, "$1")];
  const deps = createChannelDeps({ ...world, allow: [...allow, ...host], readSecret });
  const channels = [
    ...(settings.AUDITFLOW_CONSOLE ? [openConsole(deps)] : []),
    ...(url === undefined ? [] : [openWebhook(url, settings, deps)]),
  ];
  return new Map(channels.map((channel) => [channel.name, channel]));
}

function openConsole(deps: ChannelDeps): OpenChannel {
  return { name: "console", type: "console", send: consoleChannel.open({}, deps) };
}

function openWebhook(url: string, settings: ChannelSettings, deps: ChannelDeps): OpenChannel {
  // The variable itself, so that it is struck out of answers.
  const readSecret = deps.secrets.open({ env: "AUDITFLOW_WEBHOOK_SECRET" });
  const send = createWebhook(
    { readUrl: () => url, readSecrets: [readSecret], timeoutMs: settings.AUDITFLOW_WEBHOOK_TIMEOUT_MS },
    deps,
  );
  return { name: "webhook", type: "webhook", send };
}
