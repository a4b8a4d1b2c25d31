import { expect } from "vitest";

import type { Adapted, RecordMeta, Source } from "./source.ts";

/** When the records of tests arrive. */
const receivedAt = Date.parse("2026-11-21T12:00:00Z");

export const meta = (more: Partial<RecordMeta> = {}): RecordMeta => ({
  headers: {},
  receivedAt,
  repetition: () => 0,
  ...more,
});

/** The one event a source makes of a record. */
export function adaptOne(source: Source, record: unknown, more?: Partial<RecordMeta>): Adapted {
  const [first, ...rest] = source.adapt(record, meta(more));
  expect(rest).toEqual([]);
  if (!first) throw new Error("no event");
  return first;
}
