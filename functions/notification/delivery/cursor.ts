import { z } from "zod";

/** A place in the list of deliveries: when the last one was written, RFC 3339 with microseconds, and its id. */
export interface Place {
  readonly at: string;
  readonly id: string;
}

/** A cursor that no list of deliveries gave out. */
export class DeliveryCursorError extends Error {
  override readonly name = "DeliveryCursorError";
}

const schema = z.object({
  // RFC 3339 has a year 0, and PostgreSQL has none.
  at: z.iso.datetime({ offset: true }).regex(/^(?!0000)/),
  id: z.guid(),
});

export function formatPlace({ at, id }: Place): string {
  return Buffer.from(JSON.stringify({ at, id })).toString("base64url");
}

/** Throws DeliveryCursorError. */
export function parsePlace(cursor: string): Place {
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
  } catch (error) {
    throw new DeliveryCursorError("The cursor is none of this list.", { cause: error });
  }
}
