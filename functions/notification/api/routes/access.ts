import { z } from "@hono/zod-openapi";

import { scopes } from "../../../../runtime/access/scopes.ts";
import { json, tagged } from "../answer.ts";
import { operation } from "../operation.ts";
import { problem } from "../problems.ts";
import { id, instant } from "../schemas/values.ts";

export const getMe = operation({
  id: "getMe",
  method: "get",
  path: "/me",
  tag: "access",
  summary: "Show who is asking",
  scope: "viewer",
  answers: {
    200: {
      description: "The caller",
      content: {
        "application/json": {
          schema: z
            .object({
              id: z.string(),
              type: z.enum(["key", "user", "anonymous"]),
              scopes: z.array(z.enum(scopes)),
              auth: z.enum(["local", "none", "login"]).openapi({
                description: "local: only this machine can call; none: nobody is asked who they are.",
              }),
              notice: z.string().optional().openapi({ description: "What everybody who calls should know." }),
            })
            .openapi("Caller"),
        },
      },
      headers: ["ETag"],
    },
  },
  async handle({ caller }, { access: { mode, notice } }) {
    const { id, type } = caller;
    const granted = scopes.filter((scope) => caller.scopes.has(scope));
    return tagged({ id, type, scopes: granted, auth: mode, ...(notice !== undefined && { notice }) });
  },
});

const keySchema = z
  .object({
    key_id: id,
    prefix: z.string().openapi({ description: "How the key begins; the rest is not kept." }),
    name: z.string(),
    scopes: z.array(z.string()),
    state: z.enum(["active", "expired", "revoked"]),
    created_at: instant,
    expires_at: instant.nullable(),
    last_used_at: instant.nullable(),
    revoked_at: instant.nullable(),
  })
  .openapi("Key");

export const listKeys = operation({
  id: "listKeys",
  method: "get",
  path: "/keys",
  tag: "access",
  summary: "List API keys",
  description: "Never the keys themselves. New ones are made by `auditflow keys create`.",
  scope: "admin",
  answers: {
    200: {
      description: "The keys",
      content: { "application/json": { schema: z.object({ items: z.array(keySchema) }).openapi("KeyList") } },
      headers: ["ETag"],
    },
  },
  async handle(_call, { keys }) {
    return tagged({ items: await keys.list() });
  },
});

export const revokeKey = operation({
  id: "revokeKey",
  method: "delete",
  path: "/keys/{key_id}",
  tag: "access",
  summary: "Revoke an API key",
  description: "At once and for ever; again is harmless.",
  scope: "admin",
  params: z.object({ key_id: id }),
  answers: { 200: { description: "The key", content: { "application/json": { schema: keySchema } } } },
  async handle({ params: { key_id } }, { keys }) {
    const key = await keys.revoke(key_id);
    if (!key) throw problem("not-found", { detail: `There is no key ${key_id}.` });
    return json(key);
  },
});
