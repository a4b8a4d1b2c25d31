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
  let line = 0;
  try {
    const input = path === "-" ? stdin : createReadStream(path);
    for await (const text of linesOf(input)) {
      line += 1;
      if (text.trim() === "") continue;
      try {
        for (const event of read(text, line)) events.push(event);
      } catch (error) {
        refused.push({ line, reason: error instanceof Error ? error.message : String(error) });
      }
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(`${path}: ${reason}`, exitCode.usage, { cause: error });
  }
  return { events: events.toSorted((a, b) => a.time - b.time), refused };
}

function linesOf(input: Readable): AsyncIterable<string> {
  return createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
}

/** An event without a time of its own happened when the file was read, as at its arrival over HTTP. */
function createReading(source: Source | undefined) {
  const receivedAt = Date.now();
  let made = 0;
  const newId = () => `event-${(made += 1)}`;
  const message: Message = { headers: {}, body: Buffer.alloc(0), receivedAt, newId };
  const repetition = () => made;

  return (text: string, line: number): readonly FileEvent[] => {
    const record: unknown = source?.format === "text" ? text : JSON.parse(text);
    const context = { message, repetition };
    const read = source ? adaptRecord(source, record, context) : readAny(record, context);
    return read.map(({ id, time, data }) => ({
      line,
      id,
      time: parseInstant(time ?? "") ?? receivedAt,
      data,
    }));
  };
}
