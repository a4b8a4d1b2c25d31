import { z } from "zod";

import { type Message, defineChannel, type MessageAlert } from "./channel.ts";
import { exchange, jsonRequest } from "./exchange.ts";
import { render } from "./render.ts";
import { plainUrl, secretReference } from "./secret.ts";
import { checkToken, timeoutSetting } from "./settings.ts";
import { templateSetting } from "./template.ts";
import { fit, oneLine } from "./text.ts";

const settings = z.strictObject({
  url: plainUrl.meta({
    description: "the base address of an Alertmanager, without /api/v2",
    examples: ["http://alertmanager.monitoring.svc:9093"],
  }),
  token: secretReference.optional().meta({ description: "a bearer token" }),
  labels: z
    .record(
      z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, { error: "must be the name of a label" }),
      z.string().min(1).max(1000),
    )
    .default({})
    .meta({ description: "further labels of every alert", examples: [{ team: "soc" }] }),
  active_minutes: z
    .int()
    .min(1)
    .max(44_640)
    .default(240)
    .meta({ description: "how long an alert stays active unless it is repeated or resolved" }),
  template: templateSetting,
  timeout_ms: timeoutSetting,
});
type Settings = z.infer<typeof settings>;

/**
 * Alertmanager's API v2: 200 is success, 400 an alert it cannot read, 5xx may pass. Alerts with the same
 * labels are one alert to it, so that repeating them changes nothing but their end.
 */
export const alertmanager = defineChannel({
  type: "alertmanager",
  description: "Alerts in a Prometheus Alertmanager, or in what takes the same (API v2).",
  settings,
  open(options, deps) {
    const readToken = options.token && deps.secrets.open(options.token, checkToken);
    const url = `${options.url.replace(/\/$/, "")}/api/v2/alerts`;
    return ({ id, message }, signal) => {
      const request = jsonRequest({
        url,
        id,
        body: toAlertmanager(message, options, deps.now()),
        headers: readToken ? { authorization: `Bearer ${readToken()}` } : {},
        timeoutMs: options.timeout_ms,
      });
      return exchange({ request, signal, receiver: "Alertmanager" }, deps);
    };
  },
});

type Options = Pick<Settings, "labels" | "active_minutes" | "template">;

/** What is pushed: the alert, or every listed one of a group. */
function toAlertmanager(message: Message, options: Options, now: number): readonly object[] {
  return (message.alerts ?? [message.data]).map((alert) => toAlert(alert, message, { ...options, now }));
}

function toAlert(
  alert: MessageAlert,
  { type, timestamp, data, url }: Message,
  { labels, active_minutes, template, now }: Options & { readonly now: number },
): object {
  const isData = alert.alert_id === data.alert_id;
  const alone = { type, timestamp, data: alert, ...(isData && url !== undefined && { url }) };
  const { title, text, link } = render(alone, template);
  const startsAt = alert.first_seen ?? alert.timestamp ?? timestamp;
  const isOver = type === "alert.resolved" || type === "test";
  const endsAt = isOver ? Date.parse(timestamp) : now + active_minutes * 60_000;
  return {
    labels: { ...labels, ...labelsOf(alert) },
    annotations: {
      summary: title,
      ...(text !== "" && { description: fit(text, 8000) }),
      events: String(alert.count),
    },
    startsAt,
    // An end before the beginning is refused.
    endsAt: new Date(Math.max(endsAt, Date.parse(startsAt))).toISOString(),
    ...(link !== undefined && { generatorURL: link }),
  };
}

/** What an alert is told apart by: nothing that changes while it lasts. */
function labelsOf(alert: MessageAlert): Readonly<Record<string, string>> {
  const labels = {
    alertname: alert.alert_name,
    severity: alert.severity.toLowerCase(),
    alert_id: alert.alert_id,
    rule_id: alert.rule_id,
    actor: alert.actor_id,
    host: alert.server_hostname,
    client_ip: alert.client_ip,
    environment: alert.environment,
    source: alert.source_service_name,
  };
  return Object.fromEntries(
    Object.entries(labels).flatMap(([name, value]) => {
      const text = fit(oneLine(value ?? ""), 1000);
      return text === "" ? [] : [[name, text] as const];
    }),
  );
}
