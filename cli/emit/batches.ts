import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

import { type BadLine, type InputRecord, parseLine, type RecordKind } from "./record.ts";

const maxRecords = 100;
const maxBytes = 512 * 1024;

/** Records of one kind that go into one request, and the lines before them that could not be read. */
export interface Batch {
  readonly records: readonly InputRecord[];
  readonly bad: readonly BadLine[];
}

/**
 * Reads lines and groups neighbours of one kind, so that order is kept and no more than one batch is in
 * memory. `limit` bounds the records of a batch further, for a slow rate.
 */
export async function* readBatches(
  input: Readable,
  { as, limit = maxRecords }: { readonly as?: RecordKind | undefined; readonly limit?: number },
): AsyncGenerator<Batch> {
  let records: InputRecord[] = [];
  let bad: BadLine[] = [];
  let bytes = 0;
  let line = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    if (text.trim() === "") continue;
    const parsed = parseLine(text, line, as);
    if ("reason" in parsed) {
      bad.push(parsed);
      if (bad.length < maxRecords) continue;
      yield { records, bad };
      [records, bad, bytes] = [[], [], 0];
      continue;
    }
    const size = Buffer.byteLength(text);
    const full = records.length >= Math.min(limit, maxRecords) || bytes + size > maxBytes;
    if (records.length > 0 && (full || records[0]?.kind !== parsed.kind)) {
      yield { records, bad };
      [records, bad, bytes] = [[], [], 0];
    }
    records.push(parsed);
    bytes += size;
  }
  if (records.length + bad.length > 0) yield { records, bad };
}
