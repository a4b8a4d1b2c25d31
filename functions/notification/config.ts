import { z } from "zod";

import { accessSettings } from "../../runtime/access/settings.ts";
import { flagSetting, urlSetting } from "../../runtime/settings.ts";
import { channelSettings } from "./channels/environment.ts";
import { replaySettings } from "./dead-letters/settings.ts";
import { deliverySettings } from "./delivery/settings.ts";
import { retentionSettings } from "./store/retention.ts";

/** Everything notification reads from its environment. */
export const notificationConfig = channelSettings.safeExtend({
  ...accessSettings.shape,
  ...deliverySettings.shape,
  ...replaySettings.shape,
  ...retentionSettings.shape,
  DATABASE_URL: urlSetting({
    schemes: ["postgres", "postgresql"],
    example: "postgres://user@host:5432/auditflow",
  }),
  /** A file, or a folder of files, that says who is told of what; see docs/routing.md. */
  AUDITFLOW_ROUTES: z.string().optional(),
  /** Where people look at alerts; messages link to it. */
  AUDITFLOW_DASHBOARD_URL: urlSetting({
    schemes: ["http", "https"],
    example: "https://auditflow.example.org",
  }).optional(),
  /** Requests of one caller to the API in a minute; 0 is no limit. */
  AUDITFLOW_API_RATE: z.coerce.number().int().min(0).max(1_000_000).default(1200),
  /** Whether the API is explained at `/docs`. */
  AUDITFLOW_DOCS: flagSetting.default(false),
  /** Where to fail on purpose, for fault tests; see runtime/failpoints.ts. */
  AUDITFLOW_FAILPOINTS: z.string().default(""),
  AUDITFLOW_FAILPOINTS_SEED: z.coerce.number().int().optional(),
  /** Connections that store alerts, and as many that answer people; the worker has two more. */
  AUDITFLOW_POSTGRES_CONNECTIONS: z.coerce.number().int().min(1).max(100).default(4),
});
export type NotificationConfig = z.infer<typeof notificationConfig>;
