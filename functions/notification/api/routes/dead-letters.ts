import { z } from "@hono/zod-openapi";

import { checkScope } from "../../../../runtime/access/access.ts";
import { actorOf } from "../actor.ts";
import { json, page, tagged } from "../answer.ts";
import { operation } from "../operation.ts";
import { problem } from "../problems.ts";
import { deadLetter, deadLetterDetail, deadLetterPage, replayResult } from "../schemas/dead-letter.ts";
import { by, cursor, id, plainText } from "../schemas/values.ts";

const deadLetterId = z.object({ dead_letter_id: id });

export const listDeadLetters = operation({
  id: "listDeadLetters",
  method: "get",
  path: "/dead-letters",
  tag: "dead letters",
  summary: "List dead letters",
  description: "Events that a function refused for ever or that the broker could not deliver, newest first.",
  scope: "viewer",
  query: z.strictObject({
    status: z.enum(["open", "replayed", "discarded"]).optional(),
    kind: z.enum(["rejected", "undeliverable"]).optional(),
    code: plainText(256).optional().openapi({ example: "EVENT_DATA_INVALID" }),
    origin: plainText(2048).optional(),
    limit: z.int().min(1).max(500).default(100),
    cursor: cursor.optional(),
  }),
  answers: {
    200: {
      description: "A page",
      content: { "application/json": { schema: deadLetterPage } },
      headers: ["ETag", "Link"],
    },
  },
  problems: ["invalid-cursor"],
  async handle({ query, request }, { deadLetters }) {
    return page(request, await deadLetters.list(query));
  },
});

export const getDeadLetter = operation({
  id: "getDeadLetter",
  method: "get",
  path: "/dead-letters/{dead_letter_id}",
  tag: "dead letters",
  summary: "Show a dead letter with what it held",
  scope: "viewer",
  params: deadLetterId,
  answers: {
    200: {
      description: "The dead letter",
      content: { "application/json": { schema: deadLetterDetail } },
      headers: ["ETag"],
    },
  },
  async handle({ params: { dead_letter_id } }, { deadLetters }) {
    const letter = await deadLetters.find(dead_letter_id);
    if (!letter) throw missing(dead_letter_id);
    return tagged(letter);
  },
});

export const replayDeadLetter = operation({
  id: "replayDeadLetter",
  method: "post",
  path: "/dead-letters/{dead_letter_id}/replay",
  tag: "dead letters",
  summary: "Send a dead letter to where it belongs",
  description:
    "An undeliverable event goes to where it was meant to go, a rejected one to the broker. With `body` that goes in place of its own, which needs the scope `admin`.",
  scope: "responder",
  params: deadLetterId,
  body: z
    .strictObject({
      by,
      reason: z.string().max(1024).optional(),
      body: z
        .unknown()
        .optional()
        .openapi({ description: "The body to send instead: text as it is, anything else as JSON." }),
    })
    .openapi("ReplayRequest", { example: { reason: "The receiver is mended." } }),
  answers: {
    200: { description: "Where it went", content: { "application/json": { schema: replayResult } } },
  },
  problems: ["state-conflict", "not-replayable", "replay-refused", "actor-required", "actor-mismatch"],
  async handle({ params: { dead_letter_id }, body, caller }, { deadLetters }) {
    const { reason, body: instead } = body;
    // Whoever writes the body could send any event at all.
    if (instead !== undefined) checkScope(caller, "admin");
    const result = await deadLetters.replay(dead_letter_id, {
      by: actorOf(caller, body.by).id,
      ...(reason !== undefined && { reason }),
      ...(instead !== undefined && { body: instead }),
    });
    switch (result.kind) {
      case "replayed": {
        const { kind: _, ...sent } = result;
        return json({ dead_letter_id, ...sent });
      }
      case "not-found":
        throw missing(dead_letter_id);
      case "handled":
        throw handled(result.status);
      case "refused":
        throw problem("not-replayable", { detail: result.detail });
      case "failed":
        throw problem("replay-refused", { detail: result.detail });
      default:
        return result satisfies never;
    }
  },
});

export const discardDeadLetter = operation({
  id: "discardDeadLetter",
  method: "post",
  path: "/dead-letters/{dead_letter_id}/discard",
  tag: "dead letters",
  summary: "Put a dead letter away",
  description: "It is kept, and no longer open.",
  scope: "responder",
  params: deadLetterId,
  body: z
    .strictObject({ by, reason: z.string().min(1).max(1024).openapi({ description: "Why." }) })
    .openapi("DiscardRequest", { example: { reason: "A sender that no longer exists." } }),
  answers: {
    200: { description: "The dead letter", content: { "application/json": { schema: deadLetter } } },
  },
  problems: ["state-conflict", "actor-required", "actor-mismatch"],
  async handle({ params: { dead_letter_id }, body, caller }, { deadLetters }) {
    const result = await deadLetters.discard(dead_letter_id, {
      by: actorOf(caller, body.by).id,
      reason: body.reason,
    });
    if (result.kind === "not-found") throw missing(dead_letter_id);
    if (result.kind === "handled") throw handled(result.status);
    return json(result.letter);
  },
});

function handled(status: string): Error {
  return problem("state-conflict", { detail: `The dead letter was ${status} already.` });
}

function missing(id: string): Error {
  return problem("not-found", { detail: `There is no dead letter ${id}.` });
}
