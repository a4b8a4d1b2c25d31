import { z } from "zod";

import { type LogLevel, logLevels, parseLogLevel } from "./log.ts";

/** A TCP port; 0 asks the system for a free one. */
export const portSetting = z.coerce.number().int().min(0).max(65_535);

/** `true` or `false`, nothing else. */
export const flagSetting = z.enum(["true", "false"]).transform((value) => value === "true");

/** A whole number of at least 1. */
export const countSetting = z.coerce.number().int().min(1);

/** A duration in whole milliseconds, at least 1 and at most a day. */
export const millisecondsSetting = z.coerce.number().int().min(1).max(86_400_000);

export interface UrlSettingOptions {
  /** Schemes that are understood, without the colon. */
  readonly schemes: readonly string[];
  readonly example: string;
  /** What to do instead, such as leaving it unset. */
  readonly hint?: string;
}

/** An absolute URL of one of the given schemes. */
export function urlSetting({ schemes, ...meta }: UrlSettingOptions) {
  return z
    .url({
      protocol: new RegExp(`^(?:${schemes.join("|")})$`),
      error: `is not a URL (${schemes.join(", ")})`,
    })
    .meta(meta);
}

/** How much is logged, in any case and with the predecessor's spellings (`WARNING`, `CRITICAL`). */
export const logLevelSetting = z.string().transform((value, context): LogLevel => {
  const level = parseLogLevel(value);
  if (level !== undefined) return level;
  context.issues.push({ code: "invalid_value", values: [...logLevels], input: value });
  return z.NEVER;
});
