import { z } from "zod";

import type { Severity } from "../alert-view.ts";
import { defineChannel } from "./channel.ts";
import { type AlertPart, partsOf, sendParts, stepOf } from "./each-alert.ts";
import { exchange, jsonRequest } from "./exchange.ts";
import { render } from "./render.ts";
import { plainApiUrl, secretReference } from "./secret.ts";
import { checkToken, timeoutSetting } from "./settings.ts";
import { type TemplateSetting, templateSetting } from "./template.ts";
import { fit, oneLine } from "./text.ts";

const settings = z.strictObject({
  api_key: secretReference.meta({
    description: "the key of an API integration",
    examples: [{ file: "/etc/auditflow/opsgenie-key" }],
  }),
  region: z.enum(["us", "eu"]).default("us").meta({ description: "where the account is kept" }),
  api_url: plainApiUrl.optional().meta({ description: "another address in place of the region's" }),
  teams: z
    .array(z.string().min(1).max(100))
    .max(50)
    .default([])
    .meta({ description: "names of the teams that are told", examples: [["soc"]] }),
  tags: z.array(z.string().min(1).max(50)).max(10).default([]).meta({ description: "tags of every alert" }),
  template: templateSetting,
  timeout_ms: timeoutSetting,
});

const addresses = { us: "https://api.opsgenie.com", eu: "https://api.eu.opsgenie.com" } as const;

/**
 * The Alert API takes requests with 202 and handles them afterwards. 401, 403, 404 and 422 are about the
 * key, the region or the request and stay; 429 is throttling; 5xx may pass. The alias is the alert's id: a
 * second request for it counts up the same alert, and it is the one that is closed.
 */
export const opsgenie = defineChannel({
  type: "opsgenie",
  description: "Alerts in Opsgenie, created, acknowledged and closed (Alert API v2).",
  settings,
  open({ api_key, region, api_url, timeout_ms: timeoutMs, ...options }, deps) {
    const readKey = deps.secrets.open(api_key, checkToken);
    const base = `${(api_url ?? addresses[region]).replace(/\/$/, "")}/v2/alerts`;
    return (outgoing, signal) => {
      const send = (part: AlertPart, partSignal: AbortSignal) => {
        const { path, body } = toOpsgenie(part, options);
        const headers = { authorization: `GenieKey ${readKey()}` };
        const request = jsonRequest({ url: `${base}${path}`, id: outgoing.id, body, headers, timeoutMs });
        return exchange({ request, signal: partSignal, receiver: "Opsgenie" }, deps);
      };
      return sendParts(partsOf(outgoing), send, { signal, timeoutMs });
    };
  },
});

interface Options {
  readonly teams: readonly string[];
  readonly tags: readonly string[];
  readonly template?: TemplateSetting;
}

const priorities = {
  CRITICAL: "P1",
  HIGH: "P2",
  MEDIUM: "P3",
  LOW: "P4",
  INFORMATIONAL: "P5",
} as const satisfies Record<Severity, string>;

const limits = { message: 130, alias: 512, description: 15_000, tag: 50, tags: 20, entity: 512 } as const;

/** The path behind `/v2/alerts` and the body of a request. */
function toOpsgenie(
  { key, message }: AlertPart,
  { teams, tags, template }: Options,
): { readonly path: string; readonly body: object } {
  const step = stepOf(message);
  const alias = key.slice(0, limits.alias);
  if (step !== "trigger") {
    const path = `/${encodeURIComponent(alias)}/${step === "resolve" ? "close" : "acknowledge"}?identifierType=alias`;
    return { path, body: { source: "AuditFlow", user: "AuditFlow" } };
  }
  const { subject, severity, text, facts, items, link } = render(message, template);
  const { data } = message;
  const description = [text, items.join("\n"), link ?? ""].filter((part) => part !== "").join("\n\n");
  const allTags = [...new Set([...tags, ...(data.tags ?? []).map((tag) => oneLine(tag))])];
  const body = {
    message: fit(subject || "(no title)", limits.message),
    alias,
    description: fit(description, limits.description),
    priority: priorities[severity],
    source: "AuditFlow",
    ...(data.server_hostname != null && { entity: fit(oneLine(data.server_hostname), limits.entity) }),
    tags: allTags
      .filter((tag) => tag !== "")
      .slice(0, limits.tags)
      .map((tag) => fit(tag, limits.tag)),
    ...(teams.length > 0 && { responders: teams.map((name) => ({ type: "team", name })) }),
    details: Object.fromEntries(facts.map(({ label, value }) => [label, value])),
  };
  return { path: "", body };
}
