import { createServer, type IncomingHttpHeaders } from "node:http";

import { createLog } from "../../../runtime/log.ts";
import type { Message, MessageAlert, Receipt } from "./channel.ts";
import { createChannelDeps } from "./deps.ts";
import { channelTypes } from "./index.ts";
import { createReadSecret } from "./secret.ts";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** An HTTP server on loopback that remembers what it was sent; status 0 never answers. */
export async function openReceiver(
  reply: (received: Received, index: number) => Reply = () => ({ status: 200 }),
  address = "127.0.0.1",
) {
  const requests: Received[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const received = {
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      requests.push(received);
      const { status, headers = {}, body = "" } = reply(received, requests.length - 1);
      if (status > 0) response.writeHead(status, headers).end(body);
    });
  });
  server.on("connection", () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  const host = address.includes(":") ? `[${address}]` : address;
  return {
    port,
    url: `http://${host}:${port}`,
    requests,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Epoch milliseconds of every test's now: 2026-11-21T12:01:00Z. */
export const now = Date.parse("2026-11-21T12:01:00Z");

export const alert = {
  alert_id: "0b6f2c1e-7a3d-5c4b-9e8f-1a2b3c4d5e6f",
  alert_name: "Multiple failed logins",
  alert_type: "brute_force",
  severity: "HIGH",
  description: "Ten failed logins within a minute.",
  rule_id: "ssh-bruteforce",
  rule_name: "SSH brute force",
  actor_id: "root",
  client_ip: "203.0.113.9",
  server_hostname: "bastion-1",
  action_observed: "login",
  tags: ["attack.t1110"],
  count: 10,
  first_seen: "2026-11-21T11:59:00.000Z",
  last_seen: "2026-11-21T12:00:00.000Z",
} as const satisfies MessageAlert;

export const message: Message = {
  type: "alert.raised",
  timestamp: "2026-11-21T12:00:05.000Z",
  data: alert,
  url: `https://auditflow.example/alerts/${alert.alert_id}`,
};

/** A group of as many alerts as asked for, of which at most `listed` are in the message. */
export function groupOf(total: number, listed = total): Message {
  const alerts = Array.from({ length: listed }, (_, index) => ({
    ...alert,
    alert_id: `0b6f2c1e-7a3d-5c4b-9e8f-${String(index).padStart(12, "0")}`,
    alert_name: `Alert number ${index}`,
    severity: index === 0 ? "CRITICAL" : "LOW",
  }));
  const [data = alert] = alerts;
  return {
    ...message,
    data,
    alerts,
    group: { route: "soc", values: { server_hostname: "bastion-1" }, total },
  };
}

export const deliveryId = "7d9f0f0e-2c1b-5a4d-8e3f-0a1b2c3d4e5f";

/** What channels are opened with in tests: loopback is allowed, secrets come from `env`. */
export function testDeps(env: Readonly<Record<string, string>> = {}) {
  return createChannelDeps({
    now: () => now,
    log: createLog({ name: "notification", level: "silent" }),
    allow: ["127.0.0.0/8", "::1/128"],
    readSecret: createReadSecret(env),
  });
}

/** Opens a channel of the type and sends one message through it. */
export function sendThrough(
  type: string,
  settings: Readonly<Record<string, unknown>>,
  {
    env = {},
    sent = message,
  }: { readonly env?: Readonly<Record<string, string>>; readonly sent?: Message } = {},
): Promise<Receipt> {
  const channel = channelTypes.get(type);
  if (!channel) throw new Error(`no channel type ${type}`);
  const send = channel.open(settings, testDeps(env));
  return send({ id: deliveryId, message: sent }, AbortSignal.timeout(10_000));
}

/** Alert fields as an attacker would fill them, and what careless code trips over. */
export const hostileTexts: readonly string[] = [
  "<script>alert(1)</script>",
  "<!channel> <!here> <!everyone> <@U012345> <#C012345> <https://evil.example|click>",
  "@channel @everyone @here <@&123> <@123> <#456>",
  "&lt;b&gt; &amp; & < > \" '",
  "*bold* _italic_ ~strike~ `code` ```block``` ||spoiler|| > quote # heading",
  "[click](https://evil.example) ![img](https://evil.example/x.png)",
  "https://evil.example/ www.evil.example",
  "a\r\nBcc: victim@example.org\r\n\r\nbody",
  "\u0000\u0007\u001B[31mred\u001B[0m\u009B",
  "\u202Egpj.exe\u2066\u2069\u200F",
  "\uD800 lone \uDC00 surrogates \uD83D",
  "Z\u0351\u036B\u0343\u036A\u0302\u036B\u033D\u034F",
  "\u{1F468}\u200D\u{1F469}\u200D\u{1F467} 田中さん ﷽ Ω≈ç√∫",
  "{{ alert.severity }} {{constructor}} {{#alerts}} ${7*7} %s%d%n #{7*7} <%= 1 %>",
  "'; drop table alerts; -- ",
  "__proto__ constructor prototype hasOwnProperty",
  "undefined null NaN true -1 1e400",
  "=cmd|'/C calc'!A0",
  "{{DATE(2017-02-14T06:08:39Z,SHORT)}}<at>everyone</at>",
  "\u2028\u2029\u0085 \t tabs \v \f",
  "x".repeat(20_000),
  "漢".repeat(30_000),
  '"'.repeat(30_000),
  "`".repeat(5000),
  "&".repeat(5000),
  "\u{1F4A9}".repeat(3000),
  "",
  " ",
];

/** The alert with every text of it replaced. */
export function hostileAlert(text: string): MessageAlert {
  return {
    ...alert,
    alert_name: text,
    description: text,
    rule_id: text,
    rule_name: text,
    actor_id: text,
    client_ip: text,
    server_hostname: text,
    resource_id: text,
    source_service_name: text,
    environment: text,
    action_observed: text,
    tags: [text],
  };
}
