import { z } from "@hono/zod-openapi";

import { actorOf } from "../actor.ts";
import { json, tagged } from "../answer.ts";
import { operation } from "../operation.ts";
import { problem } from "../problems.ts";
import { deliverySchema } from "../schemas/delivery.ts";
import { by, instant } from "../schemas/values.ts";
import { wishOf } from "./deliveries.ts";

const channelName = z.object({ name: z.string().min(1).max(256) });

const channelSchema = z
  .object({
    name: z.string(),
    type: z.string().openapi({ example: "slack" }),
    circuit: z.object({
      state: z
        .enum(["closed", "open", "half-open"])
        .openapi({ description: "open: the receiver is away and left alone for a while." }),
      since: instant,
    }),
  })
  .openapi("Channel");

export const listChannels = operation({
  id: "listChannels",
  method: "get",
  path: "/channels",
  tag: "channels",
  summary: "List channels",
  description: "Names, types and whether their receivers answer. Settings are never shown.",
  scope: "viewer",
  answers: {
    200: {
      description: "The channels",
      content: {
        "application/json": { schema: z.object({ items: z.array(channelSchema) }).openapi("ChannelList") },
      },
      headers: ["ETag"],
    },
  },
  async handle(_call, { channels }) {
    return tagged({ items: channels.list() });
  },
});

export const testChannel = operation({
  id: "testChannel",
  method: "post",
  path: "/channels/{name}/test",
  tag: "channels",
  summary: "Send a test message",
  description: "Answers at once; what becomes of the message is told by its delivery.",
  scope: "responder",
  params: channelName,
  body: z.strictObject({ by }).openapi("ChannelTestRequest", { example: {} }),
  answers: {
    202: {
      description: "The delivery on its way",
      content: { "application/json": { schema: deliverySchema } },
    },
  },
  problems: ["actor-required", "actor-mismatch"],
  async handle({ params: { name }, body, caller }, { deliveries }) {
    const delivery = await deliveries.testSend(name, actorOf(caller, body.by).id);
    if (!delivery) throw missing(name);
    return json(delivery, {
      status: 202,
      headers: { location: `/api/v1/deliveries/${delivery.delivery_id}` },
    });
  },
});

export const redriveChannel = operation({
  id: "redriveChannel",
  method: "post",
  path: "/channels/{name}/redrive",
  tag: "channels",
  summary: "Send everything that failed again",
  description: "The oldest first, 1,000 at a time, each under its own id.",
  scope: "responder",
  params: channelName,
  body: z
    .strictObject({ by, reason: z.string().max(1024).optional(), max: z.int().min(1).max(1000).optional() })
    .openapi("RedriveRequest", { example: { reason: "The receiver is back." } }),
  answers: {
    200: {
      description: "How many are sent again",
      content: {
        "application/json": {
          schema: z
            .object({
              redriven: z.int(),
              more: z.boolean().openapi({ description: "Whether there are more." }),
            })
            .openapi("RedriveResult"),
        },
      },
    },
  },
  problems: ["actor-required", "actor-mismatch"],
  async handle({ params: { name }, body, caller }, { deliveries, channels }) {
    const who = actorOf(caller, body.by).id;
    if (!channels.list().some((channel) => channel.name === name)) throw missing(name);
    const limit = body.max === undefined ? {} : { max: body.max };
    return json(await deliveries.redrive(name, { ...wishOf(who, body.reason), ...limit }));
  },
});

function missing(name: string): Error {
  return problem("not-found", { detail: `There is no channel ${JSON.stringify(name)}.` });
}
