import { z } from "zod";

import type { Message, MessageAlert } from "./channel.ts";
import { type Node, parseTemplate, TemplateError } from "./template-parser.ts";
import { manyLines, oneLine } from "./text.ts";

/** A text with placeholders, checked when the configuration is read; the problem names line and column. */
const templateText = z
  .string()
  .max(20_000)
  .superRefine((text, context) => {
    try {
      parseTemplate(text);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
    }
  });

/** Replaces what a channel says by itself; docs/channels.md lists names and filters. */
export const templateSetting = z
  .strictObject({
    title: templateText.optional().meta({ description: "one line", examples: ["{{ alert.alert_name }}"] }),
    body: templateText.optional().meta({ description: "plain text; the channel escapes it" }),
  })
  .optional()
  .meta({ description: "texts in place of the usual ones" });
export type TemplateSetting = z.infer<typeof templateSetting>;

/** A message with what the channel would say by itself. */
export interface TemplateScope {
  readonly message: Message;
  readonly title: string;
  readonly text: string;
}

/**
 * The text with its placeholders filled in: plain text, which the channel still has to escape. Throws
 * TemplateError, as `templateSetting` does before.
 */
export function renderTemplate(template: string, scope: TemplateScope): string {
  return write(parseTemplate(template), scope, scope.message.data);
}

function write(nodes: readonly Node[], scope: TemplateScope, alert: MessageAlert): string {
  return nodes.map((node) => writeNode(node, scope, alert)).join("");
}

function writeNode(node: Node, scope: TemplateScope, alert: MessageAlert): string {
  if (node.kind === "text") return node.text;
  if (node.kind === "value") {
    return node.filters.reduce((text, filter) => filter(text), textOf(valueOf(node.name, scope, alert)));
  }
  if (node.name === "alerts" && !node.inverted) {
    return alertsOf(scope.message)
      .map((each) => write(node.nodes, scope, each))
      .join("");
  }
  const isThere = textOf(valueOf(node.name, scope, alert)) !== "";
  return isThere === node.inverted ? "" : write(node.nodes, scope, alert);
}

/** What a name of template-names.ts stands for; own properties only, so that no prototype is reached. */
function valueOf(name: string, { message, title, text }: TemplateScope, alert: MessageAlert): unknown {
  const [first = "", ...rest] = name.split(".");
  if (first === "alert") return own(alert, rest.join("."));
  if (first === "group" && rest[0] === "values") return own(message.group?.values, rest.slice(1).join("."));
  switch (name) {
    case "type":
      return message.type;
    case "timestamp":
      return message.timestamp;
    case "url":
      return message.url;
    case "title":
      return title;
    case "text":
      return text;
    case "alerts":
      return message.alerts === undefined ? "" : "some";
    case "group.route":
      return message.group?.route;
    default:
      return message.group?.total ?? alertsOf(message).length;
  }
}

function alertsOf({ alerts, data }: Message): readonly MessageAlert[] {
  return alerts ?? [data];
}

function own(holder: object | undefined, name: string): unknown {
  return holder !== undefined && Object.hasOwn(holder, name) ? Reflect.get(holder, name) : undefined;
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return manyLines(value);
  if (Array.isArray(value)) return value.map((item) => oneLine(String(item))).join(", ");
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "object") return "";
  return Object.entries(value)
    .map(([label, text]) => `${oneLine(label)}=${oneLine(String(text))}`)
    .join(", ");
}
