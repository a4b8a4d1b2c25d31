import { z } from "zod";

import { formatDuration, parseDuration } from "../routing/duration.ts";
import { standardHorizonMs } from "./write-deliveries.ts";

const leastMs = 60_000;

/** How long a delivery is tried, as milliseconds: `24h`, `90m`, `3d`; at least a minute, at most a year. */
const horizonSetting = z.string().transform((value, context) => {
  const ms = parseDuration(value.trim());
  if (ms !== undefined && ms >= leastMs) return ms;
  const message = `expected a duration from ${formatDuration(leastMs)} to 366d, such as 24h`;
  context.issues.push({ code: "custom", message, input: value });
  return z.NEVER;
});

/** What delivery reads from the environment; a part of the function's configuration. */
export const deliverySettings = z.object({
  /** How long a delivery is tried before it becomes a dead letter. */
  AUDITFLOW_DELIVERY_HORIZON: horizonSetting.default(standardHorizonMs),
});
