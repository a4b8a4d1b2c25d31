import type { Logger } from "pino";

/** A structured logger: one JSON object a line; no event data at info. */
export type Log = Logger;
