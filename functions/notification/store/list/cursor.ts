import { z } from "zod";

import { type Place, type Sort, sorts, widthOf } from "./sort.ts";

/** A cursor that no list made, or that another order's list made. */
export class CursorError extends Error {
  override readonly name = "CursorError";
}

/** Where a page begins. */
export interface Cursor extends Place {
  readonly to: "next" | "prev";
}

/** Nothing that is sorted by lies beyond: neither a count nor, in microseconds, a year of four digits. */
const value = z
  .string()
  .regex(/^-?\d{1,18}$/, { abort: true })
  .refine((text) => BigInt(text) > -(10n ** 17n) && BigInt(text) < 3n * 10n ** 17n);

const shape = z.strictObject({
  sort: z.enum(sorts),
  to: z.enum(["next", "prev"]),
  values: z.array(value).max(3),
  id: z.uuid(),
});

/** Opaque to whoever holds it. */
export function encodeCursor(sort: Sort, { to, values, id }: Cursor): string {
  return Buffer.from(JSON.stringify({ sort, to, values, id })).toString("base64url");
}

/** Throws CursorError. */
export function decodeCursor(sort: Sort, text: string): Cursor {
  const read = shape.safeParse(toJson(text));
  if (!read.success || read.data.values.length !== widthOf(read.data.sort)) {
    throw new CursorError("The cursor is none that a list answered with.");
  }
  const { sort: made, ...cursor } = read.data;
  if (made !== sort) throw new CursorError(`The cursor is of a list sorted by ${made}, not by ${sort}.`);
  return cursor;
}

const longest = 500;

function toJson(text: string): unknown {
  if (text.length > longest || !/^[\w-]+$/.test(text)) return undefined;
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}
