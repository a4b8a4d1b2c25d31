import { isIP } from "node:net";

import { deriveUuid } from "../../../events/identity.ts";
import { quote } from "../../../events/invalid-event.ts";
import { parseInstant } from "../../../events/time.ts";
import { RequestError } from "../problem.ts";

/** A JSON object whose members are not known beforehand. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The contract's limits for a text and for an id; longer ones are whole in `original`. */
export const maxText = 1024;
export const maxId = 256;
const maxEventType = 64;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a path of members and indexes, or `undefined` when there is none. */
export function valueAt(record: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((value, step) => {
    if (Array.isArray(value) && typeof step === "number") return value[step];
    return isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  }, record);
}

/** As `wholeTextAt`, within the contract's limit of a text. */
export function textAt(record: unknown, ...paths: readonly string[]): string | undefined {
  const text = wholeTextAt(record, ...paths);
  return text === undefined ? undefined : cut(text, maxText);
}

/** The first of the dotted paths that holds a text which is not empty; numbers count as text. */
export function wholeTextAt(record: unknown, ...paths: readonly string[]): string | undefined {
  for (const path of paths) {
    const value = valueAt(record, steps(path));
    if (typeof value === "string" && value !== "") return value;
    if (typeof value === "number") return String(value);
  }
  return undefined;
}

/** The beginning of a text; without the half of a surrogate pair that a cut may leave and nobody can send. */
export function cut(text: string, maxLength: number): string {
  return text.slice(0, maxLength).toWellFormed();
}

/** As `textAt`, within the limit of an id. */
export function idAt(record: unknown, ...paths: readonly string[]): string | undefined {
  const text = textAt(record, ...paths);
  return text === undefined ? undefined : cut(text, maxId);
}

/** As `textAt`, if it is an IP address. */
export function addressAt(record: unknown, ...paths: readonly string[]): string | undefined {
  const text = textAt(record, ...paths);
  return text !== undefined && isIP(text) !== 0 ? text : undefined;
}

/**
 * The first of the dotted paths that holds a value, as a point in time. A time that is there and cannot
 * be read is refused: another one would be invented.
 */
export function timeAt(record: unknown, ...paths: readonly string[]): number | undefined {
  for (const path of paths) {
    const value = valueAt(record, steps(path));
    if (value === undefined || value === null) continue;
    const time = parseInstant(value);
    if (time !== undefined) return time;
    const pointer = `/${path.replaceAll(".", "/")}`;
    throw new RequestError(
      "EVENT_TIME_INVALID",
      `${path} is ${quote(value)}: expected RFC 3339 text such as "2026-11-21T12:00:00Z", or an epoch number in seconds or milliseconds.`,
      { pointer },
    );
  }
  return undefined;
}

/** `<source>.<action>` within the contract's alphabet and length. */
export function eventTypeOf(source: string, ...actions: readonly (string | undefined)[]): string {
  const parts = [source, ...actions.filter((action) => action !== undefined && action !== "")];
  return parts
    .join(".")
    .replaceAll(/[^A-Za-z0-9_.-]/g, "_")
    .slice(0, maxEventType);
}

/** An id for a record that has none of its own: the same record gets the same one, however often it comes. */
export function contentId(source: string, record: unknown, repetition: number): string {
  return deriveUuid("record", source, JSON.stringify(record), String(repetition));
}

/** The members that have a value: an absent one is left out, not written as null. */
export function present<T extends object>(members: T): { [Name in keyof T]: Exclude<T[Name], undefined> } {
  // What remains has a value, which TypeScript cannot see through the entries.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]: Exclude<T[Name], undefined>;
  };
}

/** Refuses a record that is not one of the source's, saying what would be. */
export function refuseRecord(record: unknown, expected: string): RequestError {
  return new RequestError(
    "SOURCE_RECORD_INVALID",
    `The record is ${describe(record)}: expected ${expected}.`,
  );
}

function describe(record: unknown): string {
  if (!isObject(record)) return quote(record);
  const names = Object.keys(record).slice(0, 5);
  return names.length === 0 ? "an empty object" : `an object with ${names.map(quote).join(", ")}`;
}

function steps(path: string): readonly (string | number)[] {
  return path.split(".").map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}
