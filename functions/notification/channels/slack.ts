import { z } from "zod";

import { defineChannel } from "./channel.ts";
import { exchange, jsonRequest } from "./exchange.ts";
import { type Fact, render, type Rendering } from "./render.ts";
import { checkSecretUrl, secretReference } from "./secret.ts";
import { timeoutSetting } from "./settings.ts";
import { templateSetting } from "./template.ts";
import { fit } from "./text.ts";

const settings = z.strictObject({
  url: secretReference.meta({
    description: "the address of an incoming webhook, which is a secret",
    examples: [{ env: "SLACK_WEBHOOK_URL" }],
  }),
  template: templateSetting,
  timeout_ms: timeoutSetting,
});

/**
 * Slack's incoming webhooks answer 200 `ok`. 400 (`invalid_payload`), 403 (`action_prohibited`), 404
 * (`no_service`) and 410 (`channel_is_archived`) stay as they are until somebody changes something; 429
 * carries `Retry-After`, and 500 (`rollup_error`) may pass. A message that was taken although its answer
 * was lost appears twice: Slack knows no idempotency key.
 */
export const slack = defineChannel({
  type: "slack",
  description: "A message in a Slack channel, through an incoming webhook.",
  settings,
  open({ url, template, timeout_ms: timeoutMs }, deps) {
    const readUrl = deps.secrets.open(url, checkSecretUrl);
    return ({ id, message }, signal) => {
      const body = toSlack(render(message, template));
      const request = jsonRequest({ url: readUrl(), id, body, timeoutMs });
      return exchange({ request, signal, receiver: "Slack" }, deps);
    };
  },
});

/** Slack's own limits, in characters of the escaped text. */
const limits = { header: 150, text: 3000, field: 2000, fallback: 3000 } as const;
const fieldsInSection = 10;

/** A message of Block Kit. Nothing of an alert is markup: its texts are `plain_text`, and escaped. */
function toSlack(rendering: Rendering): object {
  const { title, text, facts, items, omitted, link } = rendering;
  const lines = [...items, ...(omitted > 0 ? [`… and ${omitted} more`] : [])].join("\n");
  return {
    // What notifications show; it is read as mrkdwn.
    text: fit(title, limits.fallback, escapeSlack) || "(no title)",
    blocks: [
      { type: "header", text: plain(title || "(no title)", limits.header) },
      ...[text, lines].filter((part) => part !== "").map((part) => section(part)),
      ...fieldSections(facts),
      ...(link === undefined ? [] : [linkTo(link)]),
    ],
    unfurl_links: false,
    unfurl_media: false,
  };
}

function section(text: string): object {
  return { type: "section", text: plain(text, limits.text) };
}

function fieldSections(facts: readonly Fact[]): readonly object[] {
  const count = Math.ceil(facts.length / fieldsInSection);
  return Array.from({ length: count }, (_, index) => ({
    type: "section",
    fields: facts
      .slice(index * fieldsInSection, (index + 1) * fieldsInSection)
      .map(({ label, value }) => plain(`${label}\n${value}`, limits.field)),
  }));
}

function plain(text: string, limit: number): object {
  return { type: "plain_text", text: fit(text, limit, escapeSlack), emoji: false };
}

function linkTo(link: string): object {
  const target = escapeSlack(link).replaceAll("|", "%7C");
  return {
    type: "context",
    elements: [{ type: "mrkdwn", text: `<${target}|Open in AuditFlow>`, verbatim: true }],
  };
}

/** The three characters that Slack reads as control characters, in mentions such as `<!channel>` too. */
function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
