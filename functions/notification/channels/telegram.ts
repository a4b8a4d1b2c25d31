import { z } from "zod";

import { parseAnswer } from "./answer-json.ts";
import { defineChannel } from "./channel.ts";
import { exchange, jsonRequest } from "./exchange.ts";
import type { GuardedAnswer } from "./guard.ts";
import { render, type Rendering } from "./render.ts";
import { capped } from "./retry-after.ts";
import { plainApiUrl, secretReference } from "./secret.ts";
import { timeoutSetting } from "./settings.ts";
import { templateSetting } from "./template.ts";
import { escapeHtml, fit } from "./text.ts";

const settings = z.strictObject({
  token: secretReference.meta({
    description: "the token of the bot",
    examples: [{ env: "TELEGRAM_BOT_TOKEN" }],
  }),
  chat_id: z
    .union([z.int(), z.string().regex(/^(?:-?\d{1,20}|@[A-Za-z0-9_]{4,64})$/)], {
      error: "must be the number of a chat, or @name of a public channel",
    })
    .meta({ description: "the chat, group or channel to write to", examples: [-1001234567890] }),
  thread_id: z.int().positive().optional().meta({ description: "a topic of a group that has topics" }),
  api_url: plainApiUrl
    .default("https://api.telegram.org")
    .meta({ description: "the Bot API, when it is a server of your own" }),
  template: templateSetting,
  timeout_ms: timeoutSetting,
});

/**
 * The Bot API answers `{"ok": true}`, or a status with `error_code` and `description`. 400, 401 (the token),
 * 403 (the bot was removed) and 404 are for good, 429 says in `parameters.retry_after` how many seconds to
 * wait, 5xx may pass. There is no idempotency key: a message whose answer was lost appears twice.
 */
export const telegram = defineChannel({
  type: "telegram",
  description: "A message in a Telegram chat, group or channel, from a bot.",
  settings,
  open({ token, template, timeout_ms: timeoutMs, ...chat }, deps) {
    const readToken = deps.secrets.open(token, checkToken);
    return ({ id, message }, signal) => {
      const url = `${chat.api_url.replace(/\/$/, "")}/bot${readToken()}/sendMessage`;
      const body = {
        chat_id: chat.chat_id,
        ...(chat.thread_id !== undefined && { message_thread_id: chat.thread_id }),
        text: toTelegram(render(message, template)),
        parse_mode: "HTML",
        link_preview_options: { is_disabled: true },
      };
      const request = jsonRequest({ url, id, body, timeoutMs });
      return exchange({ request, signal, receiver: "Telegram", retryAfterMs }, deps);
    };
  },
});

/** What the whole message may have; it counts what is shown, so that counting markup as well is on the safe side. */
const maxLength = 4096;

/**
 * A text in Telegram's HTML. What it would turn into links and mentions by itself is kept from it: facts
 * are code, and an `@` elsewhere has a word joiner behind it.
 */
function toTelegram({ title, text, facts, items, omitted, link }: Rendering): string {
  const head = `<b>${fit(title || "(no title)", 500, escapeTelegram)}</b>`;
  const foot =
    link === undefined || link.length > 1000 ? "" : `\n<a href="${escapeHtml(link)}">Open in AuditFlow</a>`;
  const lines = [
    ...facts.map(
      ({ label, value }) => `${escapeTelegram(label)}: <code>${fit(value, 300, escapeHtml)}</code>`,
    ),
    ...items.map((item) => fit(item, 400, escapeTelegram)),
    ...(omitted > 0 ? [`… and ${omitted} more`] : []),
  ];
  let room = maxLength - head.length - foot.length - 2;
  const body = text === "" ? "" : fit(text, Math.min(room, lines.length === 0 ? room : 2000), escapeTelegram);
  const parts = [head, ...(body === "" ? [] : [body])];
  room -= body.length + 1;
  for (const line of lines) {
    room -= line.length + 1;
    // A line that is cut could end within a tag.
    if (room < 0) break;
    parts.push(line);
  }
  return `${parts.join("\n")}${foot}`;
}

/** Text that is neither markup nor mention. */
function escapeTelegram(text: string): string {
  return escapeHtml(text).replaceAll("@", "@\u2060");
}

function checkToken(token: string): string | undefined {
  // It becomes a part of the path.
  return /^\d+:[A-Za-z0-9_-]+$/.test(token) ? undefined : "does not hold a token as BotFather gives them";
}

const refusal = z.object({ parameters: z.object({ retry_after: z.number() }) });

function retryAfterMs({ body }: Pick<GuardedAnswer, "body">): number | undefined {
  const { data } = refusal.safeParse(parseAnswer(body));
  return data === undefined ? undefined : capped(data.parameters.retry_after * 1000);
}
