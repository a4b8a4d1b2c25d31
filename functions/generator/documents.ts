import { isUtf8 } from "node:buffer";

import { checkBatchSize } from "../../events/http.ts";
import { checkJson, maxDataDepth, parseJson, readJson } from "../../events/json.ts";

/** One record of a body; `read` gives its value or throws InvalidEventError, and takes no other with it. */
export interface RecordItem {
  readonly read: () => unknown;
  readonly bytes: () => Buffer;
}

/** What a body holds: one record, or a list of records. */
export interface Document {
  readonly single: boolean;
  readonly items: readonly RecordItem[];
}

/** A record becomes a part of an event's data (`original`), which leaves it one level less. */
const maxRecordDepth = maxDataDepth - 2;

/** The objects that may hold records besides arrays, such as `{"Records": […]}`. */
export type Unwrap = (document: unknown) => readonly unknown[] | undefined;

/** The records of a JSON body. */
export function fromJsonBody(body: Buffer, unwrap?: Unwrap): Document {
  // An array of records, or a list in an object, lies around the records.
  const { value, escaped } = readJson(body, maxRecordDepth + 2);
  const list = Array.isArray(value) ? value : unwrap?.(value);
  checkBatchSize(list?.length ?? 1);
  const items = (list ?? [value]).map((record) => toItem(record, escaped));
  return { single: list === undefined, items };
}

/** The records of a body with one JSON value on each line (NDJSON); empty lines hold none. */
export function fromNdjsonBody(body: Buffer): Document {
  const items = linesOf(body).map((line) => ({
    read: () => parseJson(line, maxRecordDepth),
    bytes: () => line,
  }));
  return { single: false, items };
}

/** The lines of a text; empty ones are left out, and those with the same key are one record. */
export function fromTextBody(body: Buffer, keyOfLine?: (line: string) => string | undefined): Document {
  const lines = linesOf(body);
  const records = keyOfLine === undefined ? lines : together(lines, keyOfLine);
  return { single: false, items: records.map((each) => ({ read: () => textOf(each), bytes: () => each })) };
}

/** Puts lines with the same key where the first of them is; they need not stand one after the other. */
function together(
  lines: readonly Buffer[],
  keyOfLine: (line: string) => string | undefined,
): readonly Buffer[] {
  const records: (readonly Buffer[])[] = [];
  const byKey = new Map<string, Buffer[]>();
  for (const line of lines) {
    const key = keyOfLine(textOf(line));
    const known = key === undefined ? undefined : byKey.get(key);
    if (known !== undefined) {
      known.push(Buffer.from("\n"), line);
      continue;
    }
    const record = [line];
    records.push(record);
    if (key !== undefined) byKey.set(key, record);
  }
  return records.map((parts) => Buffer.concat(parts));
}

/** Logs of old systems are not always UTF-8; latin-1 loses no byte. */
function textOf(line: Buffer): string {
  return line.toString(isUtf8(line) ? "utf8" : "latin1");
}

function toItem(record: unknown, escaped: boolean): RecordItem {
  return {
    read() {
      checkJson(record, { escaped });
      return record;
    },
    bytes: () => Buffer.from(JSON.stringify(record)),
  };
}

function linesOf(body: Buffer): readonly Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < body.length;) {
    const end = body.indexOf(0x0a, start);
    const stop = end < 0 ? body.length : end;
    const line = body.subarray(start, stop);
    if (!isBlank(line)) lines.push(line);
    start = stop + 1;
  }
  checkBatchSize(lines.length);
  return lines;
}

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
