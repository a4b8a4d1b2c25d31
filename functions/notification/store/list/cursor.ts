import { z } from "zod";

import { CursorError, seal, unseal } from "../opaque.ts";
import { type Place, type Sort, sorts, widthOf } from "./sort.ts";

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
  return seal({ sort, to, values, id });
}

/** Throws CursorError. */
export function decodeCursor(sort: Sort, text: string): Cursor {
  const read = shape.safeParse(unseal(text));
  if (!read.success || read.data.values.length !== widthOf(read.data.sort)) {
    throw new CursorError("The cursor is none that a list answered with.");
  }
  const { sort: made, ...cursor } = read.data;
  if (made !== sort) throw new CursorError(`The cursor is of a list sorted by ${made}, not by ${sort}.`);
  return cursor;
}
