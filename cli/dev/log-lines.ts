import { Writable } from "node:stream";
import { z } from "zod";

import type { Output, Paint } from "../output.ts";
import { parseJson } from "../json.ts";

const record = z.looseObject({
  level: z.union([z.number(), z.string()]),
  time: z.union([z.number(), z.string()]),
  function: z.string().optional(),
  msg: z.string().optional(),
});

/** Keys every line carries and nobody needs to see again. */
const hidden = new Set(["level", "time", "function", "msg"]);

/** Turns the functions' JSON log lines into lines for people; with `json` they pass as they are. */
export function createLogLines({
  output,
  json,
}: {
  readonly output: Output;
  readonly json: boolean;
}): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      for (const line of String(chunk).split("\n")) {
        if (line) output.err(json ? line : readable(line, output.paint));
      }
      done();
    },
  });
}

function readable(line: string, paint: Paint): string {
  const parsed = record.safeParse(parseJson(line));
  if (!parsed.success) return line;
  const { time, level, function: name = "", msg = "", ...rest } = parsed.data;
  const clock = new Date(time).toTimeString().slice(0, 8);
  const details = Object.entries(rest).filter(([key]) => !hidden.has(key));
  const text = details.map(([key, value]) => paint("dim", `${key}=${show(value)}`)).join(" ");
  return `${paint("dim", clock)} ${name.padEnd(13)} ${severe(level) ? paint("yellow", msg) : msg}  ${text}`.trimEnd();
}

function severe(level: number | string): boolean {
  return typeof level === "number" ? level >= 40 : ["warn", "error", "fatal"].includes(level);
}

function show(value: unknown): string {
  if (typeof value === "string") return /\s/.test(value) ? JSON.stringify(value) : value;
  const message = z.object({ message: z.string() }).safeParse(value);
  return message.success ? JSON.stringify(message.data.message) : JSON.stringify(value);
}
