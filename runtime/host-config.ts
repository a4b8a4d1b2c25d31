import { z } from "zod";

import { logLevelSetting, millisecondsSetting, portSetting, urlSetting } from "./settings.ts";

const ceOverrides = z.object({ extensions: z.record(z.string(), z.string()).default({}) });

/** `K_CE_OVERRIDES` as a SinkBinding sets it: `{"extensions":{"name":"value"}}`. */
const overridesSetting = z.string().transform((text, context): Readonly<Record<string, string>> => {
  const parsed = ceOverrides.safeParse(parseJson(text));
  if (parsed.success) return parsed.data.extensions;
  context.issues.push({
    code: "custom",
    message: 'expected {"extensions":{"name":"value"}}',
    input: text,
  });
  return z.NEVER;
});

/** One or more steps such as `/broker`, with no slash at the end. */
const pathPrefixSetting = z
  .string()
  .regex(/^(?:\/[A-Za-z0-9._~-]+)+$/, { error: "is not a path such as /broker" })
  .meta({ example: "/broker" });

/** What every function reads from its environment, whatever it does. */
export const hostConfig = z.object({
  PORT: portSetting.default(8080),
  /** Address or name to listen on; all addresses when unset. */
  AUDITFLOW_HOST: z.union([z.ipv4(), z.ipv6(), z.hostname()], { error: "is no address or name" }).optional(),
  /** What a broker and a clock call answers only below this path, what people call only outside of it. */
  AUDITFLOW_BROKER_PATH_PREFIX: pathPrefixSetting.optional(),
  LOG_LEVEL: logLevelSetting.default("info"),
  /** A file with the level in it, read again whenever it changes; wins over LOG_LEVEL. */
  AUDITFLOW_LOG_LEVEL_FILE: z.string().optional(),
  /** Where events go that are not the one reply: the broker's ingress. */
  K_SINK: urlSetting({
    schemes: ["http", "https"],
    example: "http://broker-ingress.example/",
    hint: "Knative sets it through a SinkBinding.",
  }).optional(),
  K_CE_OVERRIDES: overridesSetting.optional(),
  /** Longest time a delivery may take; below the Trigger's timeout, so that the answer is ours. */
  AUDITFLOW_DELIVERY_TIMEOUT_MS: millisecondsSetting.default(20_000),
  /** Longest time for what is in flight to finish after SIGTERM. */
  AUDITFLOW_DRAIN_TIMEOUT_MS: millisecondsSetting.default(22_000),
  /** One POST to the sink, and how often it is tried. */
  AUDITFLOW_SINK_TIMEOUT_MS: millisecondsSetting.default(5000),
  AUDITFLOW_SINK_ATTEMPTS: z.coerce.number().int().min(1).max(20).default(4),
  AUDITFLOW_VERSION: z.string().optional(),
  K_REVISION: z.string().optional(),
});
export type HostConfig = z.infer<typeof hostConfig>;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
