import { describe, expect, test } from "vitest";

import { ChannelError, type Message } from "./channel.ts";
import { escapeDiscord } from "./discord.ts";
import {
  alert,
  deliveryId,
  groupOf,
  hostileAlert,
  hostileTexts,
  message,
  openReceiver,
  type Reply,
  sendThrough,
} from "./receiver.testing.ts";

const token = "123456:AAbbCCdd-Ee_Ff";

/** The channels that write to people in a chat, each with what it needs to reach a receiver. */
const chats = [
  { type: "slack", path: "/services/T000/B000/XXXXsecret", secret: "SLACK_WEBHOOK_URL" },
  {
    type: "teams",
    path: "/workflows/abc/triggers/manual/paths/invoke?sig=secretsig",
    secret: "TEAMS_WEBHOOK_URL",
  },
  { type: "discord", path: "/api/webhooks/1/secret-token", secret: "DISCORD_WEBHOOK_URL" },
  { type: "telegram", path: `/bot${token}/sendMessage`, secret: "TELEGRAM_BOT_TOKEN" },
] as const;
type Chat = (typeof chats)[number];

async function send(chat: Chat, sent: Message = message, reply: () => Reply = () => ({ status: 200 })) {
  await using receiver = await openReceiver(reply);
  const isTelegram = chat.type === "telegram";
  const settings = isTelegram
    ? { token: { env: chat.secret }, chat_id: -100123, api_url: receiver.url }
    : { url: { env: chat.secret } };
  const env = { [chat.secret]: isTelegram ? token : `${receiver.url}${chat.path}` };
  const receipt = await sendThrough(chat.type, settings, { env, sent }).catch((error: unknown) => {
    if (error instanceof ChannelError) return error;
    throw error;
  });
  const [request] = receiver.requests;
  return { receipt, request, body: JSON.parse(request?.body ?? "{}"), requests: receiver.requests };
}

/** Every text anywhere in a value. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

const types = [
  ["alert.raised", "◆ HIGH: Multiple failed logins"],
  ["alert.reopened", "Reopened: ◆ HIGH: Multiple failed logins"],
  ["alert.repeated", "Still open: ◆ HIGH: Multiple failed logins"],
  ["alert.escalated", "Escalated: ◆ HIGH: Multiple failed logins"],
  ["alert.digest", "Digest: ◆ HIGH: 1 alert, the gravest: Multiple failed logins"],
  ["alert.resolved", "Resolved: ◆ HIGH: Multiple failed logins"],
  ["test", "Test: ◆ HIGH: Multiple failed logins"],
] as const;

describe.for(chats)("$type", (chat) => {
  test("POSTs JSON to its secret address, with the delivery's id", async () => {
    const { request, receipt } = await send(chat);
    expect(request?.method).toBe("POST");
    expect(request?.path).toBe(chat.type === "discord" ? `${chat.path}?wait=true` : chat.path);
    expect(request?.headers["content-type"]).toBe("application/json");
    expect(request?.headers["idempotency-key"]).toBe(deliveryId);
    expect(receipt).toMatchObject({ status: 200 });
  });

  test.for(types)("%s begins with what happened", async ([type, title]) => {
    const { body } = await send(chat, { ...message, type });
    const texts = textsIn(body).map((text) => text.replaceAll("\\", "").replace(/^<b>(.*?)<\/b>.*$/s, "$1"));
    expect(texts).toContain(title);
  });

  test("says what is known of the alert, and links to it", async () => {
    const { body } = await send(chat);
    const all = textsIn(body).join("\n").replaceAll("\\", "");
    for (const part of [
      alert.description,
      alert.rule_name,
      "root",
      "bastion-1",
      "203.0.113.9",
      message.url,
    ]) {
      expect(all).toContain(part);
    }
  });

  test("lists a group up to a cap, and counts all of it", async () => {
    const { body } = await send(chat, groupOf(120, 100));
    const all = textsIn(body).join("\n").replaceAll("\\", "");
    expect(all).toContain("▲ CRITICAL: 120 alerts, the gravest: Alert number 0");
    expect(all).toContain("▲ 1 CRITICAL, ▬ 99 LOW (of the first 100)");
    expect(all).toContain("… and 100 more");
    expect(all).toContain("Alert number 19");
    expect(all).not.toContain("Alert number 20");
  });

  test.for([
    [400, false],
    [401, false],
    [403, false],
    [404, false],
    [410, false],
    [302, false],
    [408, true],
    [429, true],
    [500, true],
    [503, true],
  ] as const)("an answer of %i: may pass is %s", async ([status, passing]) => {
    const { receipt, requests } = await send(chat, message, () => ({
      status,
      headers: { "retry-after": "7", location: "http://127.0.0.1:1/" },
      body: `no: ${chat.type === "telegram" ? token : chat.path}`,
    }));
    expect(receipt).toMatchObject({ name: "ChannelError", passing, status, retryAfterMs: 7000 });
    expect(requests).toHaveLength(1);
    // The receiver repeats the secret; nothing of it is kept.
    const kept = JSON.stringify(receipt) + (receipt instanceof Error ? receipt.message : "");
    expect(kept).toContain("(secret)");
    expect(kept).not.toMatch(/XXXXsecret|secretsig|secret-token|AAbbCCdd/);
  });

  test("of a long answer 2 KiB are kept", async () => {
    const { receipt } = await send(chat, message, () => ({ status: 200, body: "é".repeat(5000) }));
    expect(receipt).toMatchObject({ response: "é".repeat(1024) });
  });

  test.for(hostileTexts.map((text) => [text.slice(0, 40), text] as const))(
    "hostile text stays text: %j",
    async ([, text]) => {
      for (const sent of [
        { ...message, data: hostileAlert(text), url: "javascript:alert(1)" },
        { ...groupOf(3), data: hostileAlert(text), alerts: [hostileAlert(text), hostileAlert(text)] },
      ]) {
        const { body, receipt, request } = await send(chat, sent);
        expect(receipt).toMatchObject({ status: 200 });
        expect(request?.body).not.toMatch(/\\ud[89a-f][0-9a-f]{2}/i);
        expect(textsIn(body).join("")).not.toMatch(/[[\p{Cc}\p{Bidi_Control}]--\n]/v);
        expect(textsIn(body).join("")).not.toContain("javascript:");
        checks[chat.type](body);
      }
    },
  );
});

/** What each vendor documents, of any message. */
const checks: Record<Chat["type"], (body: Record<string, unknown>) => void> = {
  slack({ text, blocks, ...rest }) {
    expect(rest).toEqual({ unfurl_links: false, unfurl_media: false });
    expect(String(text).length).toBeGreaterThan(0);
    const list = blocks as readonly {
      type: string;
      text?: SlackText;
      fields?: SlackText[];
      elements?: SlackText[];
    }[];
    expect(list.length).toBeLessThanOrEqual(50);
    for (const block of list) {
      expect(["header", "section", "context"]).toContain(block.type);
      expect(block.fields?.length ?? 1).toBeLessThanOrEqual(10);
      const limit = block.type === "header" ? 150 : block.fields ? 2000 : 3000;
      for (const part of [...(block.text ? [block.text] : []), ...(block.fields ?? [])]) {
        expect(part).toMatchObject({ type: "plain_text", emoji: false });
        expect(part.text.length).toBeGreaterThan(0);
        expect(part.text.length).toBeLessThanOrEqual(limit);
      }
    }
    for (const part of textsIn([text, list.filter(({ type }) => type !== "context")])) {
      expect(part).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
    }
  },
  teams(body) {
    expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThan(28 * 1024);
    expect(body["type"]).toBe("message");
    const [attachment] = body["attachments"] as readonly { contentType: string; content: TeamsCard }[];
    expect(attachment?.contentType).toBe("application/vnd.microsoft.card.adaptive");
    expect(attachment?.content).toMatchObject({ type: "AdaptiveCard", version: "1.4" });
    // Only a TextRun shows Markdown as it is.
    for (const block of attachment?.content.body ?? []) {
      expect(block.type).toBe("RichTextBlock");
      for (const run of block.inlines) expect(run.type).toBe("TextRun");
    }
  },
  discord({ embeds, allowed_mentions, ...rest }) {
    expect(rest).toEqual({});
    expect(allowed_mentions).toEqual({ parse: [] });
    const [embed] = embeds as readonly DiscordEmbed[];
    const { title = "", description = "", fields = [] } = embed ?? {};
    expect(title.length).toBeGreaterThan(0);
    expect(title.length).toBeLessThanOrEqual(256);
    expect(description.length).toBeLessThanOrEqual(4096);
    expect(fields.length).toBeLessThanOrEqual(25);
    for (const { name, value } of fields) {
      expect(name.length * value.length).toBeGreaterThan(0);
      expect(value.length).toBeLessThanOrEqual(1024);
    }
    const all = [title, description, ...fields.flatMap(({ name, value }) => [name, value])];
    expect(all.join("").length).toBeLessThanOrEqual(6000);
    for (const part of all)
      expect(part.replaceAll(/\\[^0-9A-Za-z\s]/g, "")).not.toMatch(/[\\*_~`|<>#[\]()@:]/);
  },
  telegram({ text, ...rest }) {
    expect(rest).toEqual({
      chat_id: -100123,
      parse_mode: "HTML",
      link_preview_options: { is_disabled: true },
    });
    expect(String(text).length).toBeLessThanOrEqual(4096);
    const plain = String(text).replaceAll(
      /<b>[^<]*<\/b>|<code>[^<]*<\/code>|<a href="https:\/\/[^"<]*">[^<]*<\/a>/g,
      "",
    );
    expect(plain).not.toMatch(/[<>"]|&(?!amp;|lt;|gt;|quot;|#39;)/);
    expect(String(text).replaceAll(/<code>[^<]*<\/code>/g, "")).not.toMatch(/@(?!\u2060)/);
  },
};

interface SlackText {
  readonly type: string;
  readonly text: string;
}
interface TeamsCard {
  readonly body: readonly { readonly type: string; readonly inlines: readonly { readonly type: string }[] }[];
}
interface DiscordEmbed {
  readonly title: string;
  readonly description?: string;
  readonly fields: readonly { readonly name: string; readonly value: string }[];
}

describe("what is particular to one of them", () => {
  const find = (type: string) => chats.find((chat) => chat.type === type) ?? chats[0];

  test("Slack gets & < > as entities, and a mention of everybody as text", async () => {
    const { body } = await send(find("slack"), {
      ...message,
      data: { ...alert, alert_name: "<!channel> & co" },
    });
    expect(body.blocks[0].text.text).toBe("◆ HIGH: &lt;!channel&gt; &amp; co");
    expect(body.text).toBe("◆ HIGH: &lt;!channel&gt; &amp; co");
  });

  test("Teams refuses more than 28 KB, so that a card stays below, in bytes", async () => {
    for (const text of ["漢".repeat(30_000), '"\\'.repeat(15_000)]) {
      const one = hostileAlert(text);
      const group = { route: "soc", values: { host: text }, total: 100 };
      for (const sent of [
        { ...message, data: one },
        { ...message, data: one, alerts: Array.from({ length: 100 }, () => one), group },
      ]) {
        const { request } = await send(find("teams"), sent);
        expect(Buffer.byteLength(request?.body ?? "")).toBeLessThan(28 * 1024);
      }
    }
  });

  test("Discord and Telegram say in the body how long to wait", async () => {
    const discord = await send(find("discord"), message, () => ({
      status: 429,
      body: JSON.stringify({ message: "You are being rate limited.", retry_after: 0.65, global: false }),
    }));
    expect(discord.receipt).toMatchObject({ retryAfterMs: 650, passing: true });
    const telegram = await send(find("telegram"), message, () => ({
      status: 429,
      body: JSON.stringify({ ok: false, error_code: 429, parameters: { retry_after: 35 } }),
    }));
    expect(telegram.receipt).toMatchObject({ retryAfterMs: 35_000, passing: true });
  });

  test("Telegram gets HTML, and a topic where one is named", async () => {
    await using receiver = await openReceiver();
    const settings = { token: { env: "T" }, chat_id: "@soc_alerts", thread_id: 7, api_url: receiver.url };
    const sent = { ...message, data: { ...alert, alert_name: "a < b & @root" } };
    await sendThrough("telegram", settings, { env: { T: token }, sent });
    const body = JSON.parse(receiver.requests[0]?.body ?? "");
    expect(body).toMatchObject({ chat_id: "@soc_alerts", message_thread_id: 7 });
    expect(body.text).toContain("<b>◆ HIGH: a &lt; b &amp; @\u2060root</b>");
    expect(body.text).toContain("Actor: <code>root</code>");
    expect(body.text).toContain(`<a href="${message.url}">Open in AuditFlow</a>`);
  });

  test("Telegram's message stays within 4096 characters whole line by whole line", async () => {
    const long = { ...alert, description: "&".repeat(5000), actor_id: "<".repeat(5000) };
    const { body } = await send(find("telegram"), { ...message, data: long });
    expect(body.text.length).toBeLessThanOrEqual(4096);
    expect(body.text.endsWith("Open in AuditFlow</a>")).toBe(true);
  });

  test("a token that would change the address is refused", async () => {
    const settings = { token: { env: "T" }, chat_id: 1, api_url: "https://api.example" };
    await expect(
      (async () => sendThrough("telegram", settings, { env: { T: "1:x/../../y" } }))(),
    ).rejects.toThrow("the variable T does not hold a token");
  });

  test("Discord shows every mark as it is", () => {
    expect(escapeDiscord("**a** <@1> https://x [b](c)")).toBe(
      String.raw`\*\*a\*\* \<\@1\> https\://x \[b\]\(c\)`,
    );
  });
});
