import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { Option } from "commander";

import type { AuditRecorded } from "../../events/contracts/audit-recorded.ts";
import { parseInstant } from "../../events/time.ts";
import { adaptRecord, type Message, readAny } from "../../functions/generator/reading.ts";
import { sources } from "../../functions/generator/sources/registry.ts";
import type { Source } from "../../functions/generator/sources/source.ts";
import type { CommandContext } from "../context.ts";
import { CliError, exitCode } from "../exit-code.ts";

/** An audit event of a file, as the pipeline would judge it. */
export interface FileEvent {
  /** The line it stands in, counted from 1. */
  readonly line: number;
  readonly id: string;
  /** Event time, epoch milliseconds. */
  readonly time: number;
  readonly data: AuditRecorded;
}

/** A line that is no event. */
export interface RefusedLine {
  readonly line: number;
  readonly reason: string;
}

export interface FileEvents {
  readonly events: readonly FileEvent[];
  readonly refused: readonly RefusedLine[];
}

/** The option that says what the lines of a file are. */
export function asOption(): Option {
  const names = sources.map(({ name }) => name);
  return new Option("--as <source>", "the source the lines come from, instead of guessing").choices(names);
}

/**
 * The audit events of a file of lines, `-` for standard input: audit events, CloudEvents or records of a
 * known source, read by the very code that takes them in over HTTP. Sorted by event time.
 */
export async function readEvents(
  path: string,
  as: string | undefined,
  { stdin }: CommandContext,
): Promise<FileEvents> {
  const source = as === undefined ? undefined : sources.find(({ name }) => name === as);
  const events: FileEvent[] = [];
  const refused: RefusedLine[] = [];
  const read = createReading(source);
  for (const { text, line } of await readRecords(
    path === "-" ? stdin : createReadStream(path),
    source,
    path,
  )) {
    try {
      for (const event of read(text)) events.push({ line, ...event });
    } catch (error) {
      refused.push({ line, reason: reasonOf(error) });
    }
  }
  return { events: events.toSorted((a, b) => a.time - b.time), refused };
}

interface TextRecord {
  /** The line it begins in. */
  readonly line: number;
  text: string;
}

/** The lines that hold something; those that are one record of the source put together. */
async function readRecords(
  input: Readable,
  source: Source | undefined,
  path: string,
): Promise<readonly TextRecord[]> {
  const records: TextRecord[] = [];
  const byKey = new Map<string, TextRecord>();
  let line = 0;
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      line += 1;
      if (text.trim() === "") continue;
      const key = source?.keyOfLine?.(text);
      const known = key === undefined ? undefined : byKey.get(key);
      if (known) known.text += `\n${text}`;
      else {
        const record = { line, text };
        records.push(record);
        if (key !== undefined) byKey.set(key, record);
      }
    }
  } catch (error) {
    throw new CliError(`${path}: ${reasonOf(error)}`, exitCode.usage, { cause: error });
  }
  return records;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An event without a time of its own happened when the file was read, as at its arrival over HTTP. */
function createReading(source: Source | undefined) {
  const receivedAt = Date.now();
  let made = 0;
  const newId = () => `event-${(made += 1)}`;
  const message: Message = { headers: {}, body: Buffer.alloc(0), receivedAt, newId };
  const context = { message, repetition: () => made };

  return (text: string): readonly Omit<FileEvent, "line">[] => {
    const records = source ? recordsOf(source, text) : [JSON.parse(text) as unknown];
    const read = records.flatMap((record) =>
      source ? adaptRecord(source, record, context) : readAny(record, context),
    );
    return read.map(({ id, time, data }) => ({ id, time: parseInstant(time ?? "") ?? receivedAt, data }));
  };
}

function recordsOf({ format, alsoJson, unwrap }: Source, text: string): readonly unknown[] {
  if (format === "text" && !(alsoJson && text.trimStart().startsWith("{"))) return [text];
  const document: unknown = JSON.parse(text);
  return unwrap?.(document) ?? (Array.isArray(document) ? document : [document]);
}
