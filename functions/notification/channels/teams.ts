import { z } from "zod";

import type { Severity } from "../alert-view.ts";
import { defineChannel } from "./channel.ts";
import { exchange, jsonRequest } from "./exchange.ts";
import { type Fact, render, type Rendering } from "./render.ts";
import { checkSecretUrl, secretReference } from "./secret.ts";
import { timeoutSetting } from "./settings.ts";
import { templateSetting } from "./template.ts";
import { fitBytes } from "./text.ts";

const settings = z.strictObject({
  url: secretReference.meta({
    description: "the address of a workflow that posts what it receives, which is a secret",
    examples: [{ env: "TEAMS_WEBHOOK_URL" }],
  }),
  template: templateSetting,
  timeout_ms: timeoutSetting,
});

/**
 * Workflows ("When a Teams webhook request is received") take an Adaptive Card and answer 202 before the
 * card is posted: a workflow that fails afterwards is seen in Power Automate only. 4xx stays until somebody
 * changes the workflow or its address, 429 is throttling, 5xx may pass.
 */
export const teams = defineChannel({
  type: "teams",
  description: "A card in a Microsoft Teams channel or chat, through a workflow.",
  settings,
  open({ url, template, timeout_ms: timeoutMs }, deps) {
    const readUrl = deps.secrets.open(url, checkSecretUrl);
    return ({ id, message }, signal) => {
      const body = toTeams(render(message, template));
      const request = jsonRequest({ url: readUrl(), id, body, timeoutMs });
      return exchange({ request, signal, receiver: "Microsoft Teams" }, deps);
    };
  },
});

/** A message is refused beyond 28 KB; texts are cut to stay below that together, in bytes. */
const limits = { title: 600, text: 6000, lines: 8000, fact: 600 } as const;

const colours = {
  CRITICAL: "Attention",
  HIGH: "Attention",
  MEDIUM: "Warning",
  LOW: "Accent",
  INFORMATIONAL: "Default",
} as const satisfies Record<Severity, string>;

/**
 * A message with one Adaptive Card. A TextBlock reads Markdown and mentions, so that texts of alerts are
 * TextRuns, which show what they are given.
 */
function toTeams(rendering: Rendering): object {
  const { title, severity, text, facts, items, omitted, link } = rendering;
  const lines = [...items, ...(omitted > 0 ? [`… and ${omitted} more`] : [])];
  const content = {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.4",
    body: [
      rich([{ ...run(title, limits.title), size: "Large", weight: "Bolder", color: colours[severity] }]),
      ...(text === "" ? [] : [rich([run(text, limits.text)])]),
      ...(lines.length === 0 ? [] : [rich([run(lines.join("\n"), limits.lines)])]),
      ...facts.map((fact) => rich(factRuns(fact))),
    ],
    actions: link === undefined ? [] : [{ type: "Action.OpenUrl", title: "Open in AuditFlow", url: link }],
    msteams: { width: "Full" },
  };
  return {
    type: "message",
    attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content }],
  };
}

function factRuns({ label, value }: Fact): readonly object[] {
  return [{ ...run(`${label}: `, limits.fact), weight: "Bolder" }, run(value, limits.fact)];
}

function run(text: string, limit: number): { readonly type: "TextRun"; readonly text: string } {
  return { type: "TextRun", text: fitBytes(text, limit) };
}

function rich(inlines: readonly object[]): object {
  return { type: "RichTextBlock", inlines };
}
