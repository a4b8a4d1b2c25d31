import pino, { type DestinationStream, type Logger } from "pino";

/**
 * A structured logger: one JSON object a line; no event data at info. Children made with `child(bindings)`
 * follow the level of the log they come from, also when it changes later.
 */
export type Log = Logger;

/** From the most talkative to none at all. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** What carries credentials or proves knowledge of one; never written, wherever it is logged. */
const secretHeaders = [
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
  "webhook-signature",
  "x-hub-signature",
  "x-hub-signature-256",
  "x-api-key",
];

const redacted = ["", "headers", "req.headers", "request.headers"].flatMap((path) =>
  secretHeaders.map((name) => `${path}["${name}"]`),
);

export interface LogOptions {
  /** The function that speaks. */
  readonly name: string;
  readonly level: LogLevel;
  /** Where lines go; standard output when absent. */
  readonly destination?: DestinationStream;
}

/** Opens a log. Setting `level` on it changes it, and its children, at run time. */
export function createLog({ name, level, destination }: LogOptions): Log {
  return pino(
    {
      base: { function: name },
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redacted, censor: "(not shown)" },
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  );
}

/** The level a word names, in any case and with the predecessor's spellings; `undefined` for any other. */
export function parseLogLevel(text: string): LogLevel | undefined {
  const word = text.trim().toLowerCase();
  const spelled = word === "warning" ? "warn" : word === "critical" ? "fatal" : word;
  return logLevels.find((level) => level === spelled);
}
