import type { DataKey, Order, Term } from "./ast.ts";
import { QueryError } from "./error.ts";
import type { IdKey, Key, ListKey, TextKey } from "./keys.ts";
import { scanList } from "./list.ts";
import { foldCase, type Pattern } from "./pattern.ts";
import { type CommonRegex, toCommonRegex } from "./regex/common.ts";
import { RegexProblem } from "./regex/cursor.ts";
import { type Cursor, scanRegex, scanValue, take, type Value } from "./scan.ts";
import { toCount, toDataNumber, toEnumValue, toMoment } from "./values.ts";

export type AnyKey = Key | DataKey;
type WrittenKey = TextKey | IdKey | ListKey | DataKey;

/** Reads `value,value`: any of them. Throws QueryError. */
export function parseMatch(cursor: Cursor, key: AnyKey): Term {
  if (key.kind === "time") throw refuseTime(cursor);
  const values = scanList(cursor);
  switch (key.kind) {
    case "enum":
      return { kind: "one-of", key, values: values.map((value) => toEnumValue(key, value)) };
    case "number":
      return { kind: "number", key, values: values.map(toCount) };
    case "id":
      return { kind: "match", key, patterns: values.map(toIdPattern) };
    case "data":
      return { kind: "match", key, patterns: values.map(({ pattern }) => pattern) };
    case "text":
    case "list":
      return { kind: "match", key, patterns: values.map(({ pattern }) => pattern.map(foldCase)) };
    default:
      return key satisfies never;
  }
}

function refuseTime(cursor: Cursor): QueryError {
  return new QueryError("A time", scanValue(cursor), {
    expected: "one of > >= < <= before it; seen:<15m is within the last 15 minutes",
  });
}

const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

function toIdPattern(value: Value): Pattern {
  if (value.pattern.length > 1 || uuid.test(value.text)) return value.pattern.map(foldCase);
  throw new QueryError(`"${value.text}"`, value, { expected: "a UUID, or a part of one and *" });
}

/** Reads an ordered comparison from its sign on. Throws QueryError. */
export function parseComparison(cursor: Cursor, key: AnyKey): Term {
  const from = cursor.at;
  const order = takeOrder(cursor);
  const value = scanValue(cursor);
  if (value.length === 0) {
    throw new QueryError(
      "Nothing",
      { position: cursor.at, length: 0 },
      { expected: `a value after ${order}` },
    );
  }
  if (key.kind === "time") return { kind: "time", key, order, at: toMoment(value) };
  if (key.kind === "number") return { kind: "compare", key, order, value: toCount(value) };
  if (key.kind === "data") return { kind: "compare", key, order, value: toDataNumber(value) };
  if (key.kind === "enum" && key.rank !== undefined) {
    return { kind: "compare", key, order, value: key.values.indexOf(toEnumValue(key, value)) + 1 };
  }
  throw new QueryError(
    `"${order}"`,
    { position: from, length: order.length },
    { expected: `a value of ${key.name}, which has no order` },
  );
}

function takeOrder(cursor: Cursor): Order {
  const first = take(cursor, ">") ? ">" : (take(cursor, "<"), "<");
  return take(cursor, "=") ? `${first}=` : first;
}

/**
 * Regular expressions in a query. PostgreSQL keeps 32 compiled ones for a connection: a query with more
 * would have them compiled anew for every row.
 */
const mostRegexes = 10;

/** Reads a regular expression; `whole`: it must fit the whole value. Throws QueryError. */
export function parseRegexTerm(cursor: Cursor, key: AnyKey, whole: boolean): Term {
  if (!isWritten(key)) {
    throw new QueryError(
      `"~"`,
      { position: cursor.at - 1, length: 1 },
      {
        expected: `no regular expression, but a value of ${key.name}, which is no text`,
      },
    );
  }
  countRegex(cursor);
  const value = scanRegex(cursor);
  if (value.text === "") {
    throw new QueryError("Nothing", { position: cursor.at, length: 0 }, { expected: "a regular expression" });
  }
  return { kind: "regex", key, regex: compile(value, { whole, isFolded: key.kind !== "data" }) };
}

function countRegex(cursor: Cursor): void {
  cursor.regexes += 1;
  if (cursor.regexes <= mostRegexes) return;
  const span = { position: cursor.at, length: 0 };
  throw new QueryError("One regular expression more", span, {
    expected: `at most ${mostRegexes} in a query; | stands between alternatives`,
  });
}

function isWritten(key: AnyKey): key is WrittenKey {
  return key.kind === "text" || key.kind === "id" || key.kind === "list" || key.kind === "data";
}

function compile(
  value: Value,
  options: { readonly whole: boolean; readonly isFolded: boolean },
): CommonRegex {
  try {
    return toCommonRegex(value.text, options);
  } catch (error) {
    if (!(error instanceof RegexProblem)) throw error;
    const position = value.offsets[error.position] ?? value.position;
    const end = value.offsets[error.position + error.length] ?? position;
    throw new QueryError(
      "A regular expression that cannot be read",
      { position, length: end - position },
      error,
    );
  }
}
