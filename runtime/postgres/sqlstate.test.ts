import postgres from "postgres";
import { expect, test } from "vitest";

import { UnavailableError } from "../failure.ts";
import { isConnectionError, isDataError, toFailure } from "./sqlstate.ts";

function serverError(code: string): unknown {
  return Object.assign(Object.create(postgres.PostgresError.prototype), { code, message: `as ${code}` });
}

function clientError(code: string): Error {
  return Object.assign(new Error(`as ${code}`), { code });
}

test.for(["22P05", "22001", "22P02", "23505", "23514", "21000", "54000"])(
  "SQLSTATE %s is about the data and stays what it is",
  (code) => {
    const error = serverError(code);
    expect([isDataError(error), isConnectionError(error), toFailure(error)]).toEqual([true, false, error]);
  },
);

test.for([
  ["57P01", "an administrator's shutdown", true],
  ["57P03", "a server that is starting", true],
  ["08006", "a lost connection", true],
  ["28P01", "a refused password", true],
  ["53300", "too many connections", false],
  ["53100", "a full disk", false],
  ["57014", "a statement that took too long", false],
  ["40P01", "a deadlock", false],
  ["25006", "a server that is read-only", false],
  ["42P01", "a table that is not migrated yet", false],
  ["42501", "a right that is not granted yet", false],
] as const)("SQLSTATE %s, %s, may pass later", ([code, , isLost]) => {
  const error = serverError(code);
  expect([isDataError(error), isConnectionError(error)]).toEqual([false, isLost]);
  expect(toFailure(error)).toMatchObject({ dependency: "postgres", cause: error });
});

test.for([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "CONNECTION_CLOSED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
])("the client's %s means that the server is away", (code) => {
  const error = clientError(code);
  expect(isConnectionError(error)).toBe(true);
  expect(toFailure(error)).toBeInstanceOf(UnavailableError);
});

test.for([
  serverError("42601"),
  clientError("UNDEFINED_VALUE"),
  clientError("MAX_PARAMETERS_EXCEEDED"),
  new Error("x"),
  "x",
])("a fault of our own stays what it is", (error) => {
  expect([isDataError(error), isConnectionError(error), toFailure(error)]).toEqual([false, false, error]);
});
