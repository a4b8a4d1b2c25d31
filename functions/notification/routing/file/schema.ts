import { z } from "zod";

import { type Query, parseQuery, usesEventData } from "../../query/query.ts";
import { QueryError } from "../../query/error.ts";
import { parseDuration } from "../duration.ts";
import { alertFields } from "../routes.ts";
import { windowSchema, clockSchema, zoneSchema, weekdaysSchema } from "./window-schema.ts";

/** Says what is wrong, and what is possible instead. */
interface Complaint {
  readonly message: string;
  readonly allowed: string;
  readonly offset?: number;
}

function complain(context: z.RefinementCtx, { message, ...params }: Complaint): never {
  context.addIssue({ code: "custom", message, params });
  return z.NEVER;
}

const durations = "a duration of at most 366 days such as 30s, 5m, 1h30m, 4h, 1d";

/** Milliseconds, at least `least`. */
const durationSchema = (least = 0) =>
  z.unknown().transform((value, context) => readDuration(value, context, least));

function readDuration(value: unknown, context: z.RefinementCtx, least: number): number {
  const ms = typeof value === "string" ? parseDuration(value) : undefined;
  if (ms === undefined) return complain(context, { message: "is no duration", allowed: durations });
  if (ms < least) return complain(context, { message: "is too short", allowed: `${least / 1000}s or more` });
  return ms;
}

/** Null: never. */
const repeatSchema = z
  .unknown()
  .transform((value, context) => (value === "never" ? null : readDuration(value, context, 60_000)));

const querySchema = z.string().transform((text, context): Query => {
  try {
    const query = parseQuery(text);
    if (!usesEventData(query)) return query;
    const allowed = "fields of the alert itself: data. and ext. are not looked at when alerts are routed";
    return complain(context, { message: "asks for fields of the event behind an alert", allowed });
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    const { message, expected: allowed, position: offset, suggestion } = error;
    const [reason = message] = message.split(": expected ");
    const hint = suggestion === undefined ? "" : `. Did you mean ${suggestion}?`;
    return complain(context, { message: `is no query: ${reason}${hint}`, allowed, offset });
  }
});

const nameSchema = z.string().regex(/^[A-Za-z0-9][\w.:-]{0,99}$/, {
  error: "is no name",
});

const fieldSchema = z.enum(alertFields);

const groupBySchema = z.union([z.tuple([z.literal("...")]), z.array(fieldSchema)], {
  error: "is no list of fields",
});

const escalationSchema = z.strictObject({
  after: durationSchema(1000),
  channels: z.array(nameSchema).min(1),
});

const digestSchema = z
  .strictObject({
    at: clockSchema.optional(),
    location: zoneSchema.optional(),
    days: weekdaysSchema.optional(),
    every: durationSchema(60_000).optional(),
  })
  .superRefine(({ at, every, location, days }, context) => {
    if ((at === undefined) === (every === undefined)) {
      complain(context, {
        message: "has to say either at or every",
        allowed: "{at: '08:00'} or {every: 24h}",
      });
    }
    if (every !== undefined && (location !== undefined || days !== undefined)) {
      complain(context, {
        message: "has a place or days without a time",
        allowed: "location and days with at",
      });
    }
  });

const routeShape = {
  name: nameSchema.optional(),
  match: querySchema.optional(),
  channels: z.array(nameSchema).optional(),
  group_by: groupBySchema.optional(),
  group_wait: durationSchema().optional(),
  group_interval: durationSchema(1000).optional(),
  repeat_interval: repeatSchema.optional(),
  send_resolved: z.boolean().optional(),
  mute_times: z.array(nameSchema).optional(),
  active_times: z.array(nameSchema).optional(),
  escalate: z.array(escalationSchema).optional(),
  digest: digestSchema.optional(),
  continue: z.boolean().optional(),
};

/** A route as a file says it, before anything is inherited. */
export type RouteNode = z.infer<z.ZodObject<typeof routeShape>> & {
  readonly routes?: readonly RouteNode[] | undefined;
};

const routeSchema: z.ZodType<RouteNode> = z.strictObject({
  ...routeShape,
  get routes() {
    return z.array(routeSchema).optional();
  },
});

const inhibitionSchema = z.strictObject({
  name: nameSchema,
  source: querySchema,
  target: querySchema,
  equal: z.array(fieldSchema).default([]),
  within: durationSchema(60_000).default(86_400_000),
});

const channelSchema = z.strictObject({ type: z.string(), settings: z.unknown().default({}) });

/** One file; several together may say what a single one says. */
export const fileSchema = z.strictObject({
  channels: z.record(nameSchema, channelSchema).default({}),
  mute_times: z.record(nameSchema, windowSchema).default({}),
  inhibit: z.array(inhibitionSchema).default([]),
  route: routeSchema.optional(),
});
export type FileNode = z.infer<typeof fileSchema>;

/** What stands where: for whoever writes an unknown key. */
export const knownKeys = {
  file: Object.keys(fileSchema.shape),
  route: [...Object.keys(routeShape), "routes"],
  escalate: Object.keys(escalationSchema.shape),
  digest: ["at", "location", "days", "every"],
  inhibit: Object.keys(inhibitionSchema.shape),
  channels: Object.keys(channelSchema.shape),
  mute_times: Object.keys(windowSchema.shape),
} as const;
