import { z } from "@hono/zod-openapi";

import { isRfc3339, parseInstant } from "../../../../events/time.ts";
import { maxName } from "../../life-cycle/action.ts";

/** An id as it comes in: any UUID, whatever its version. */
export const id = z.guid().openapi({ format: "uuid", example: "0197a1e2-7c1f-5d3a-9a51-3f2b8c1d4e5f" });

/** An instant as it goes out. */
export const instant = z
  .string()
  .openapi({ format: "date-time", description: "RFC 3339 in UTC.", example: "2026-11-21T12:00:00.000Z" });

/** An instant as it comes in. */
export const instantInput = z
  .string()
  .max(64)
  .refine(isRfc3339, "expected a time such as 2026-11-21T12:00:00Z")
  .openapi({ format: "date-time", example: "2026-12-24T08:00:00Z" });

const relative = /^now(?:-(\d{1,6})([smhdw]))?$/;

/** An instant as it comes in where a range is asked for: RFC 3339, or relative to now. */
export const when = z
  .string()
  .max(64)
  .refine(
    (text) => relative.test(text) || isRfc3339(text),
    "expected a time such as 2026-11-21T12:00:00Z, now or now-24h",
  )
  .openapi({
    description: "RFC 3339, `now`, or `now-` and a duration in s, m, h, d or w.",
    example: "now-24h",
  });

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** RFC 3339 has a year 0, and PostgreSQL has none. */
const earliestMs = Date.parse("0001-01-01T00:00:00Z");

/** Epoch milliseconds of a text that `when` lets pass. */
function toTime(text: string, now: number): number {
  const [, amount, unit] = relative.exec(text) ?? [];
  if (text === "now") return now;
  const length = unit === undefined ? undefined : Object.entries(unitMs).find(([name]) => name === unit)?.[1];
  if (length !== undefined) return Math.max(0, now - Number(amount) * length);
  return Math.max(earliestMs, parseInstant(text) ?? now);
}

/** A range of time in epoch milliseconds, as far as it was given. */
export function toRange(
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  now: number,
): { readonly from?: number; readonly to?: number } {
  return {
    ...(from !== undefined && { from: toTime(from, now) }),
    ...(to !== undefined && { to: toTime(to, now) }),
  };
}

/** A text that is looked for or kept as it is: the database keeps no NUL, so nothing has one. */
export function plainText(max: number) {
  return z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\0]*$/, "expected text without NUL characters");
}

/** Who does something, where nobody is asked for a credential. */
export const by = plainText(maxName).optional().openapi({
  description: "Who does this. Required where nobody is asked for a credential; otherwise it is the caller.",
  example: "ana@example.com",
});

/** A text in the query language. */
export const queryText = z
  .string()
  .max(2000)
  .openapi({ description: "In the query language.", example: "is:open severity:>=high" });

/** A cursor from an earlier answer. */
export const cursor = z.string().min(1).max(2000).openapi({
  description: "`next` or `prev` of an earlier answer, unchanged.",
  example: "eyJzIjoiLWxhc3Rfc2VlbiJ9",
});

/** The next page of a list. */
export const nextCursor = z
  .string()
  .nullable()
  .openapi({ description: "The cursor of the next page; null on the last one." });

/** An object that is passed on as it is. */
export const anything = z.record(z.string(), z.unknown());
