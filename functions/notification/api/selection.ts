import { z } from "@hono/zod-openapi";

import { asksForSuppressed, parseQuery, type Query } from "../query/query.ts";
import type { Selection } from "../store/list/request.ts";
import { severity, status } from "./schemas/alert.ts";
import { plainText, queryText, toRange, when } from "./schemas/values.ts";

const values = z.array(plainText(256)).max(50).optional();

/** The parameters that choose alerts, of every operation that lists or counts them. */
export const selectionParameters = {
  q: queryText.optional(),
  severity: z
    .array(severity)
    .max(5)
    .optional()
    .openapi({ description: "Any of these; short for `severity:` in `q`." }),
  status: z
    .array(status)
    .max(5)
    .optional()
    .openapi({ description: "Any of these; short for `status:` in `q`." }),
  rule: values.openapi({ description: "Any of these rule ids; short for `rule:` in `q`." }),
  actor: values.openapi({ description: "Any of these; short for `actor:` in `q`." }),
  host: values.openapi({ description: "Any of these; short for `host:` in `q`." }),
  type: values.openapi({ description: "Any of these; short for `type:` in `q`." }),
  from: when
    .optional()
    .openapi({ description: "Last seen at or after this: RFC 3339, or `now-24h` and the like." }),
  to: when.optional().openapi({ description: "Last seen before this: RFC 3339, or `now-1h` and the like." }),
  include: z
    .enum(["suppressed"])
    .optional()
    .openapi({ description: "Also alerts nobody is told of, such as those of rules on trial." }),
};

const parameters = z.object(selectionParameters);

/** The alerts that the parameters choose. Throws QueryError for a `q` that cannot be read. */
export function toSelection(given: z.output<typeof parameters>, now: number): Selection {
  const query = toQuery(given);
  const suppressed = given.include === "suppressed" || asksForSuppressed(query);
  return { query, suppressed, ...toRange(given, now) };
}

const named = ["severity", "status", "rule", "actor", "host", "type"] as const;

/** `q` and what the other parameters add to it: each is read by itself, so that no quote reaches further. */
function toQuery(given: z.output<typeof parameters>): Query {
  const texts = named.flatMap((name) => {
    const wanted = given[name] ?? [];
    return wanted.length === 0 ? [] : [`${name}:${wanted.map(quote).join(",")}`];
  });
  const query = parseQuery(given.q ?? "");
  if (texts.length === 0) return query;
  const nodes = [...texts.map((text) => parseQuery(text).node), query.node];
  return { text: [...texts, query.text].join(" ").trim(), node: { kind: "and", nodes } };
}

function quote(value: string): string {
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
