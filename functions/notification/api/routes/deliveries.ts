import { z } from "@hono/zod-openapi";

import { actorOf } from "../actor.ts";
import { json, page, tagged } from "../answer.ts";
import { operation } from "../operation.ts";
import { problem } from "../problems.ts";
import { deliveryDetail, deliveryPage, deliverySchema, deliveryStatuses } from "../schemas/delivery.ts";
import { by, cursor, id, plainText } from "../schemas/values.ts";

const deliveryId = z.object({ delivery_id: id });
const one = { "application/json": { schema: deliverySchema } };
const reason = z.string().max(1024).optional().openapi({ description: "Why." });

export const listDeliveries = operation({
  id: "listDeliveries",
  method: "get",
  path: "/deliveries",
  tag: "deliveries",
  summary: "List deliveries",
  description: "Messages to people, newest first; `failed` are those that were given up.",
  scope: "viewer",
  query: z.strictObject({
    status: z.enum(deliveryStatuses).optional(),
    channel: plainText(256).optional(),
    alert_id: id.optional(),
    limit: z.int().min(1).max(500).default(100),
    cursor: cursor.optional(),
  }),
  answers: {
    200: {
      description: "A page",
      content: { "application/json": { schema: deliveryPage } },
      headers: ["ETag", "Link"],
    },
  },
  problems: ["invalid-cursor"],
  async handle({ query, request }, { deliveries }) {
    const { alert_id: alertId, ...rest } = query;
    return page(request, await deliveries.list({ ...rest, ...(alertId !== undefined && { alertId }) }));
  },
});

export const getDelivery = operation({
  id: "getDelivery",
  method: "get",
  path: "/deliveries/{delivery_id}",
  tag: "deliveries",
  summary: "Show a delivery and every attempt",
  scope: "viewer",
  params: deliveryId,
  answers: {
    200: {
      description: "The delivery",
      content: { "application/json": { schema: deliveryDetail } },
      headers: ["ETag"],
    },
  },
  async handle({ params: { delivery_id } }, { deliveries }) {
    const delivery = await deliveries.find(delivery_id);
    if (!delivery) throw missing(delivery_id);
    const { attempt_history, ...rest } = delivery;
    return tagged({ ...rest, attempt_log: attempt_history });
  },
});

export const resendDelivery = operation({
  id: "resendDelivery",
  method: "post",
  path: "/deliveries/{delivery_id}/resend",
  tag: "deliveries",
  summary: "Send a message again",
  description:
    "What failed, was discarded or muted goes under its own id; what was delivered goes as a new delivery, which is the answer. What is on its way stays so.",
  scope: "responder",
  params: deliveryId,
  body: z
    .strictObject({ by, reason })
    .openapi("ResendRequest", { example: { reason: "The receiver is back." } }),
  answers: { 200: { description: "The delivery that is sent", content: one } },
  problems: ["actor-required", "actor-mismatch"],
  async handle({ params: { delivery_id }, body, caller }, { deliveries }) {
    const result = await deliveries.resend(delivery_id, wishOf(actorOf(caller, body.by).id, body.reason));
    if (result.kind === "not-found") throw missing(delivery_id);
    return json(result.delivery);
  },
});

export const discardDelivery = operation({
  id: "discardDelivery",
  method: "post",
  path: "/deliveries/{delivery_id}/discard",
  tag: "deliveries",
  summary: "Give up a message",
  scope: "responder",
  params: deliveryId,
  body: z
    .strictObject({ by, reason })
    .openapi("DiscardDeliveryRequest", { example: { reason: "Nobody needs it." } }),
  answers: { 200: { description: "The delivery", content: one } },
  problems: ["state-conflict", "actor-required", "actor-mismatch"],
  async handle({ params: { delivery_id }, body, caller }, { deliveries }) {
    const result = await deliveries.discard(delivery_id, wishOf(actorOf(caller, body.by).id, body.reason));
    if (result.kind === "not-found") throw missing(delivery_id);
    if (result.kind !== "refused") return json(result.delivery);
    throw problem("state-conflict", { detail: `The delivery is ${result.delivery.status} already.` });
  },
});

/** Who wants it, and why, as far as that was said. */
export function wishOf(by: string, reason: string | undefined) {
  return reason === undefined ? { by } : { by, reason };
}

function missing(id: string): Error {
  return problem("not-found", { detail: `There is no delivery ${id}.` });
}
