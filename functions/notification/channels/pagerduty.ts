import { z } from "zod";

import type { Severity } from "../alert-view.ts";
import { defineChannel } from "./channel.ts";
import { type AlertPart, partsOf, sendParts, stepOf } from "./each-alert.ts";
import { exchange, jsonRequest } from "./exchange.ts";
import { render } from "./render.ts";
import { plainApiUrl, secretReference } from "./secret.ts";
import { timeoutSetting } from "./settings.ts";
import { type TemplateSetting, templateSetting } from "./template.ts";
import { fit, oneLine } from "./text.ts";

const settings = z.strictObject({
  routing_key: secretReference.meta({
    description: "the integration key of a service (Events API v2)",
    examples: [{ env: "PAGERDUTY_ROUTING_KEY" }],
  }),
  region: z.enum(["us", "eu"]).default("us").meta({ description: "the service region of the account" }),
  api_url: plainApiUrl.optional().meta({ description: "another address in place of the region's" }),
  template: templateSetting,
  timeout_ms: timeoutSetting,
});

const addresses = { us: "https://events.pagerduty.com", eu: "https://events.eu.pagerduty.com" } as const;

/**
 * Events API v2: 202 is success, 400 an event it cannot read or a wrong key, 429 too many events, 5xx may
 * pass. The key of an event is the alert's id, so that repeating it changes nothing and resolving the alert
 * resolves what it opened.
 */
export const pagerduty = defineChannel({
  type: "pagerduty",
  description: "Alerts in PagerDuty, triggered, acknowledged and resolved (Events API v2).",
  settings,
  open({ routing_key, region, api_url, template, timeout_ms: timeoutMs }, deps) {
    const readKey = deps.secrets.open(routing_key);
    const url = `${(api_url ?? addresses[region]).replace(/\/$/, "")}/v2/enqueue`;
    return (outgoing, signal) => {
      const send = (part: AlertPart, partSignal: AbortSignal) => {
        const body = { routing_key: readKey(), ...toPagerDuty(part, template) };
        const request = jsonRequest({ url, id: outgoing.id, body, timeoutMs });
        return exchange({ request, signal: partSignal, receiver: "PagerDuty" }, deps);
      };
      return sendParts(partsOf(outgoing), send, { signal, timeoutMs });
    };
  },
});

const severities = {
  CRITICAL: "critical",
  HIGH: "error",
  MEDIUM: "warning",
  LOW: "info",
  INFORMATIONAL: "info",
} as const satisfies Record<Severity, string>;

const limits = { dedupKey: 255, summary: 1024, detail: 4000 } as const;

/** An event without its routing key. */
function toPagerDuty({ key, message }: AlertPart, template?: TemplateSetting): object {
  const action = stepOf(message);
  const event = { event_action: action, dedup_key: key.slice(0, limits.dedupKey) };
  if (action !== "trigger") return event;
  const { subject, severity, text, facts, items, link } = render(message, template);
  const { data, timestamp } = message;
  const source = data.server_hostname ?? data.client_ip ?? data.source_service_name ?? "auditflow";
  return {
    ...event,
    client: "AuditFlow",
    ...(link !== undefined && { client_url: link, links: [{ href: link, text: "Open in AuditFlow" }] }),
    payload: {
      summary: fit(subject || "(no title)", limits.summary),
      source: fit(oneLine(source) || "auditflow", 255),
      severity: severities[severity],
      timestamp: data.last_seen ?? timestamp,
      ...(data.resource_id != null && { component: fit(oneLine(data.resource_id), 255) }),
      ...(data.rule_id !== undefined && { class: fit(oneLine(data.rule_id), 255) }),
      custom_details: {
        ...Object.fromEntries(facts.map(({ label, value }) => [label, value])),
        ...(text !== "" && { Description: fit(text, limits.detail) }),
        ...(items.length > 0 && { Alerts: items }),
      },
    },
  };
}
