import { z } from "@hono/zod-openapi";

import { parseInstant } from "../../../../events/time.ts";
import { parseQuery } from "../../query/query.ts";
import { isActive, type Silence, checkSilenceQuery } from "../../silences/silence.ts";
import { actorOf } from "../actor.ts";
import { json, tagged } from "../answer.ts";
import { operation } from "../operation.ts";
import { problem } from "../problems.ts";
import { silencePreview, silenceSchema } from "../schemas/silence.ts";
import { by, id, instantInput, queryText, toRange, when } from "../schemas/values.ts";

const silenceId = z.object({ silence_id: id });
const one = { "application/json": { schema: silenceSchema } };

export const listSilences = operation({
  id: "listSilences",
  method: "get",
  path: "/silences",
  tag: "silences",
  summary: "List silences",
  description: "Newest first, 1,000 at most; those that are over are kept.",
  scope: "viewer",
  query: z.strictObject({
    active: z
      .boolean()
      .optional()
      .openapi({ description: "true: only those in force or to come; false: only those that are over." }),
  }),
  answers: {
    200: {
      description: "The silences",
      content: {
        "application/json": { schema: z.object({ items: z.array(silenceSchema) }).openapi("SilenceList") },
      },
      headers: ["ETag"],
    },
  },
  async handle({ query }, { silences, now }) {
    const list = await silences.list(query);
    return tagged({ items: list.map((silence) => view(silence, now())) });
  },
});

export const createSilence = operation({
  id: "createSilence",
  method: "post",
  path: "/silences",
  tag: "silences",
  summary: "Silence alerts for a while",
  description:
    "Alerts that match while it is in force are kept and shown, and nobody is told of them. The query asks for alerts only, not for the data of events.",
  scope: "responder",
  body: z
    .strictObject({
      query: queryText,
      comment: z.string().min(1).max(4096).openapi({ description: "Why." }),
      starts_at: instantInput.optional().openapi({ description: "Now when left out." }),
      ends_at: instantInput.openapi({ description: "Within a year of its start." }),
      by,
    })
    .openapi("SilenceRequest", {
      example: {
        query: "rule:ANLY-SEC-* host:bastion-1",
        comment: "The penetration test of this week.",
        ends_at: "2026-11-28T18:00:00Z",
      },
    }),
  answers: { 201: { description: "The silence", content: one } },
  problems: ["invalid-query", "limit-reached", "actor-required", "actor-mismatch"],
  async handle({ body, caller }, { silences, now }) {
    const { query, comment, starts_at, ends_at } = body;
    const silence = await silences.create({
      query,
      comment,
      author: actorOf(caller, body.by).id,
      startsAt: parseInstant(starts_at),
      endsAt: parseInstant(ends_at) ?? Number.NaN,
    });
    const location = `/api/v1/silences/${silence.silence_id}`;
    return json(view(silence, now()), { status: 201, headers: { location } });
  },
});

export const previewSilence = operation({
  id: "previewSilence",
  method: "post",
  path: "/silences/preview",
  tag: "silences",
  summary: "Show what a silence would have muted",
  description: "Of the alerts that are stored. Nothing is changed.",
  scope: "viewer",
  body: z
    .strictObject({ query: queryText, from: when.optional(), to: when.optional() })
    .openapi("SilencePreviewRequest", { example: { query: "rule:ANLY-SEC-001", from: "now-30d" } }),
  answers: {
    200: {
      description: "What it would have muted",
      content: { "application/json": { schema: silencePreview } },
    },
  },
  problems: ["invalid-query"],
  async handle({ body }, { silences, now }) {
    const query = parseQuery(checkSilenceQuery(body.query));
    return json(await silences.preview(query, toRange(body, now())));
  },
});

export const getSilence = operation({
  id: "getSilence",
  method: "get",
  path: "/silences/{silence_id}",
  tag: "silences",
  summary: "Show a silence",
  scope: "viewer",
  params: silenceId,
  answers: { 200: { description: "The silence", content: one, headers: ["ETag"] } },
  async handle({ params: { silence_id } }, { silences, now }) {
    const silence = await silences.find(silence_id);
    if (!silence) throw missing(silence_id);
    return tagged(view(silence, now()));
  },
});

export const expireSilence = operation({
  id: "expireSilence",
  method: "post",
  path: "/silences/{silence_id}/expire",
  tag: "silences",
  summary: "End a silence now",
  description: "People are told of what matches from now on. What it muted stays muted.",
  scope: "responder",
  params: silenceId,
  body: z.strictObject({ by }).openapi("SilenceExpiry", { example: {} }),
  answers: { 200: { description: "The silence", content: one } },
  problems: ["state-conflict", "actor-required", "actor-mismatch"],
  async handle({ params: { silence_id }, body, caller }, { silences, now }) {
    const result = await silences.expire(silence_id, actorOf(caller, body.by).id);
    if (result.kind === "not-found") throw missing(silence_id);
    if (result.kind === "expired") return json(view(result.silence, now()));
    const { ends_at, expired_at } = result.silence;
    throw problem("state-conflict", { detail: `The silence is over since ${expired_at ?? ends_at}.` });
  },
});

function view(silence: Silence, now: number) {
  return { ...silence, active: isActive(silence, now) };
}

function missing(id: string): Error {
  return problem("not-found", { detail: `There is no silence ${id}.` });
}
