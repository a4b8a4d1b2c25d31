import type { Message } from "./channel.ts";
import { message, openReceiver, type Received, type Reply, sendThrough } from "./receiver.testing.ts";

/** The secret of all of them. */
export const key = "R0123456789012345678901234567890";

/** Channels of receivers that keep alerts themselves, each with what it needs to reach one. */
export const settingsOf = {
  pagerduty: (url: string) => ({ routing_key: { env: "KEY" }, api_url: url }),
  opsgenie: (url: string) => ({ api_key: { env: "KEY" }, api_url: url, teams: ["soc"], tags: ["auditflow"] }),
  alertmanager: (url: string) => ({
    url,
    token: { env: "KEY" },
    labels: { team: "soc" },
    active_minutes: 60,
  }),
  "github-issue": (url: string) => ({
    repository: "example/security",
    token: { env: "KEY" },
    labels: ["security"],
    api_url: url,
  }),
  "cloudevent-sink": (url: string) => ({ url: `${url}/events`, token: { env: "KEY" } }),
} as const satisfies Record<string, (url: string) => Readonly<Record<string, unknown>>>;
export type Type = keyof typeof settingsOf;

const usual: Record<Type, (received: Received) => Reply> = {
  pagerduty: () => ({ status: 202, body: '{"status":"success"}' }),
  opsgenie: () => ({ status: 202, body: '{"result":"Request will be processed"}' }),
  alertmanager: () => ({ status: 200 }),
  "github-issue": ({ method }) =>
    method === "GET" ? { status: 200, body: "[]" } : { status: 201, body: "{}" },
  "cloudevent-sink": () => ({ status: 204 }),
};

/** Sends a message through a channel of the type; answers the receipt or the error, and what was received. */
export async function send(
  type: Type,
  sent: Message = message,
  {
    reply = usual[type],
    more = {},
  }: { reply?: (received: Received, index: number) => Reply; more?: object } = {},
) {
  await using receiver = await openReceiver(reply);
  const settings = { ...settingsOf[type](receiver.url), ...more };
  const result = await sendThrough(type, settings, { env: { KEY: key }, sent }).catch(
    (error: unknown) => error,
  );
  const bodies = receiver.requests.map(({ body }) => (body === "" ? undefined : JSON.parse(body)));
  return { result, requests: receiver.requests, bodies };
}

export const resolved: Message = { ...message, type: "alert.resolved" };
