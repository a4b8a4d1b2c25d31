import { type Severity, severities } from "../alert-view.ts";
import type { Message, MessageAlert } from "./channel.ts";
import { renderTemplate, type TemplateSetting } from "./template.ts";
import { fit, manyLines, oneLine } from "./text.ts";

/** What a message says, in plain text: a channel escapes it, cuts it to size and lays it out. */
export interface Rendering {
  /** One line. */
  readonly title: string;
  /** The title without its shape and severity, for receivers that have a place for those. */
  readonly subject: string;
  readonly severity: Severity;
  /** Paragraphs; may be empty. */
  readonly text: string;
  /** Labels and values, one line each; none when a template says it all. */
  readonly facts: readonly Fact[];
  /** One line for each alert of a group, the gravest first. */
  readonly items: readonly string[];
  /** How many alerts of the group have no line. */
  readonly omitted: number;
  /** An http or https address. */
  readonly link: string | undefined;
}

export interface Fact {
  readonly label: string;
  readonly value: string;
}

/** A shape beside the word, so that colour alone tells nobody how grave it is. */
const severityShapes = {
  CRITICAL: "▲",
  HIGH: "◆",
  MEDIUM: "●",
  LOW: "▬",
  INFORMATIONAL: "○",
} as const satisfies Record<Severity, string>;

/** Colours of receivers that show one: red, orange, amber, blue, grey. */
export const severityColours = {
  CRITICAL: 0xb4_23_18,
  HIGH: 0xd9_5f_0e,
  MEDIUM: 0xc9_93_00,
  LOW: 0x2f_6f_b7,
  INFORMATIONAL: 0x6b_72_80,
} as const satisfies Record<Severity, number>;

const prefixes = {
  "alert.raised": "",
  "alert.reopened": "Reopened: ",
  "alert.repeated": "Still open: ",
  "alert.escalated": "Escalated: ",
  "alert.digest": "Digest: ",
  "alert.resolved": "Resolved: ",
  test: "Test: ",
} as const satisfies Record<Message["type"], string>;

/** Alerts of a group that get a line. */
const maxItems = 20;
const maxValue = 300;

/** What a message says, by itself or by the template of the channel. */
export function render(message: Message, template?: TemplateSetting): Rendering {
  const usual = renderUsual(message);
  const scope = { message, title: usual.title, text: usual.text };
  const title = template?.title === undefined ? usual.title : oneLine(renderTemplate(template.title, scope));
  const subject = template?.title === undefined ? usual.subject : title;
  if (template?.body === undefined) return { ...usual, title, subject };
  const text = manyLines(renderTemplate(template.body, scope));
  return { ...usual, title, subject, text, facts: [], items: [], omitted: 0 };
}

function renderUsual(message: Message): Rendering {
  const { data, group, url } = message;
  const alerts = message.alerts ?? [data];
  const total = Math.max(group?.total ?? 0, alerts.length);
  const isGroup = total > 1 || message.type === "alert.digest";
  const severity = gravestOf([data, ...alerts]);
  const name = isGroup ? `${counted(total)}, the gravest: ${nameOf(data)}` : nameOf(data);
  const prefix = prefixes[message.type];
  const items = isGroup ? alerts.slice(0, maxItems).map(lineOf) : [];
  return {
    title: `${prefix}${severityShapes[severity]} ${severity}: ${name}`,
    subject: `${prefix}${name}`,
    severity,
    text: isGroup ? summaryOf(alerts, total) : textOf(message),
    facts: isGroup ? groupFacts(message) : factsOf(data),
    items,
    omitted: isGroup ? total - items.length : 0,
    link: linkOf(url),
  };
}

function textOf({ type, data }: Message): string {
  const description = manyLines(data.description ?? "");
  return type === "test" ? `This is a test of the channel. ${description}`.trim() : description;
}

/** How many alerts of which severity, as far as they are listed. */
function summaryOf(alerts: readonly MessageAlert[], total: number): string {
  const counts = severities
    .map((severity) => [severity, alerts.filter((alert) => severityOf(alert) === severity).length] as const)
    .filter(([, count]) => count > 0)
    .toReversed()
    .map(([severity, count]) => `${severityShapes[severity]} ${count} ${severity}`);
  const of = alerts.length < total ? ` (of the first ${alerts.length})` : "";
  return `${counted(total)}: ${counts.join(", ")}${of}.`;
}

/** One alert of a group on one line. */
function lineOf(alert: MessageAlert): string {
  const severity = severityOf(alert);
  const where = [alert.actor_id, alert.server_hostname].filter((part) => typeof part === "string");
  const at = where.length === 0 ? "" : ` (${where.map((part) => shortened(part)).join(" on ")})`;
  return `${severityShapes[severity]} ${severity} ${nameOf(alert)}${at}, ${events(alert.count)}`;
}

function groupFacts({ group }: Message): readonly Fact[] {
  if (group === undefined) return [];
  return Object.entries(group.values).map(([label, value]) => ({
    label: shortened(label, 100),
    value: shortened(value),
  }));
}

/** What is known of one alert, in the order people ask for it. */
function factsOf(alert: MessageAlert): readonly Fact[] {
  const facts: readonly (readonly [label: string, value: string | number | null | undefined])[] = [
    ["Rule", alert.rule_name ?? alert.rule_id],
    ["Actor", alert.actor_id],
    ["Client address", alert.client_ip],
    ["Host", alert.server_hostname],
    ["Resource", alert.resource_id],
    ["Action", alert.action_observed],
    ["Source", alert.source_service_name],
    ["Environment", alert.environment],
    ["Tags", alert.tags?.join(", ")],
    ["Events", alert.count],
    ["First seen", alert.first_seen],
    ["Last seen", alert.last_seen],
    ["Assignee", alert.assignee],
    ["Disposition", alert.disposition],
    ["Alert", alert.alert_id],
  ];
  return facts.flatMap(([label, value]) => {
    const text = value === null || value === undefined ? "" : shortened(String(value));
    return text === "" ? [] : [{ label, value: text }];
  });
}

/** The severity as one of the known ones; what is none counts as informational. */
function severityOf({ severity }: Pick<MessageAlert, "severity">): Severity {
  return severities.find((known) => known === severity) ?? "INFORMATIONAL";
}

function gravestOf(alerts: readonly MessageAlert[]): Severity {
  const ranks = alerts.map((alert) => severities.indexOf(severityOf(alert)));
  return severities[Math.max(...ranks)] ?? "INFORMATIONAL";
}

/** Only what a browser opens as a page: no `javascript:` gets into a link. */
function linkOf(url: string | undefined): string | undefined {
  const parsed = url === undefined ? null : URL.parse(url);
  return parsed !== null && /^https?:$/.test(parsed.protocol) ? parsed.href : undefined;
}

function nameOf({ alert_name: name }: MessageAlert): string {
  return shortened(name, 150) || "(no name)";
}

function shortened(text: string, limit: number = maxValue): string {
  return fit(oneLine(text), limit);
}

function counted(total: number): string {
  return total === 1 ? "1 alert" : `${total} alerts`;
}

function events(count: number): string {
  return count === 1 ? "1 event" : `${count} events`;
}
