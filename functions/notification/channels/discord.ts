import { z } from "zod";

import { parseAnswer } from "./answer-json.ts";
import { type Message, defineChannel } from "./channel.ts";
import { exchange, jsonRequest } from "./exchange.ts";
import type { GuardedAnswer } from "./guard.ts";
import { type Fact, render, type Rendering, severityColours } from "./render.ts";
import { capped } from "./retry-after.ts";
import { checkSecretUrl, secretReference } from "./secret.ts";
import { timeoutSetting } from "./settings.ts";
import { templateSetting } from "./template.ts";
import { fit } from "./text.ts";

const settings = z.strictObject({
  url: secretReference.meta({
    description: "the address of a webhook of a channel, which is a secret",
    examples: [{ env: "DISCORD_WEBHOOK_URL" }],
  }),
  template: templateSetting,
  timeout_ms: timeoutSetting,
});

/**
 * With `wait=true` Discord answers 200 with the message it stored, or an error. 400 (a message it cannot
 * take), 401, 403 and 404 (the webhook is gone, and asking on gets the address banned) are for good; 429
 * says how long to wait in the header and as `retry_after`, in seconds; 5xx may pass. Webhooks take no
 * `nonce`, so that a message whose answer was lost appears twice.
 */
export const discord = defineChannel({
  type: "discord",
  description: "A message in a Discord channel, through a webhook.",
  settings,
  open({ url, template, timeout_ms: timeoutMs }, deps) {
    const readUrl = deps.secrets.open(url, checkSecretUrl);
    return ({ id, message }, signal) => {
      const body = toDiscord(render(message, template), message);
      const request = jsonRequest({ url: waiting(readUrl()), id, body, timeoutMs });
      return exchange({ request, signal, receiver: "Discord", retryAfterMs }, deps);
    };
  },
});

/** Discord's limits; all texts of the embed together may have 6000 characters. */
const limits = { title: 256, description: 4096, name: 256, value: 1024, embed: 6000 } as const;
const maxFields = 25;

/** One embed, in which nothing of an alert is Markdown, a link or a mention. */
function toDiscord(rendering: Rendering, { timestamp }: Pick<Message, "timestamp">): object {
  const { title, severity, text, facts, items, omitted, link } = rendering;
  const lines = [...items, ...(omitted > 0 ? [`… and ${omitted} more`] : [])].join("\n");
  const head = fit(title || "(no title)", limits.title, escapeDiscord);
  const fields = fieldsOf(facts, limits.embed - head.length - 1000);
  const used = head.length + fields.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
  const whole = [text, lines].filter((part) => part !== "").join("\n\n");
  const description = fit(whole, Math.min(limits.description, limits.embed - used), escapeDiscord);
  return {
    embeds: [
      {
        title: head,
        ...(description !== "" && { description }),
        ...(link !== undefined && { url: link }),
        color: severityColours[severity],
        fields,
        timestamp,
      },
    ],
    // Neither people nor roles nor everyone are notified, whatever an alert says.
    allowed_mentions: { parse: [] },
  };
}

interface Field {
  readonly name: string;
  readonly value: string;
  readonly inline: boolean;
}

/** As many of the facts as there is room for. */
function fieldsOf(facts: readonly Fact[], room: number): readonly Field[] {
  const fields: Field[] = [];
  let left = room;
  for (const { label, value } of facts.slice(0, maxFields)) {
    const field = {
      name: fit(label, limits.name, escapeDiscord),
      value: fit(value, limits.value, escapeDiscord),
      inline: value.length <= 40,
    };
    left -= field.name.length + field.value.length;
    if (left < 0) break;
    fields.push(field);
  }
  return fields;
}

/** A backslash makes every punctuation mark plain: no emphasis, no link, no mention, no spoiler. */
export function escapeDiscord(text: string): string {
  return text.replaceAll(/[\\*_~`|<>#[\]()@:-]/g, String.raw`\$&`);
}

function waiting(url: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}wait=true`;
}

const refusal = z.object({ retry_after: z.number() });

function retryAfterMs({ body }: Pick<GuardedAnswer, "body">): number | undefined {
  const { data } = refusal.safeParse(parseAnswer(body));
  return data === undefined ? undefined : capped(data.retry_after * 1000);
}
