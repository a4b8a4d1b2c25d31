import { z } from "zod";

import { CursorError, seal, unseal } from "../store/opaque.ts";

/** A place in the list of deliveries: when the last one was written, RFC 3339 with microseconds, and its id. */
export interface Place {
  readonly at: string;
  readonly id: string;
}

const schema = z.object({
  // RFC 3339 has a year 0, and PostgreSQL has none.
  at: z.iso.datetime({ offset: true }).regex(/^(?!0000)/),
  id: z.guid(),
});

export function formatPlace({ at, id }: Place): string {
  return seal({ at, id });
}

/** Throws CursorError. */
export function parsePlace(cursor: string): Place {
  const read = schema.safeParse(unseal(cursor));
  if (!read.success) throw new CursorError("The cursor is none of this list.");
  return read.data;
}
