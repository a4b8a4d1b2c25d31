import postgres from "postgres";

import { UnavailableError } from "../failure.ts";

/**
 * SQLSTATE classes and codes that say something about the server or the installation, never about the row
 * at hand: the same statement may pass later. Everything else keeps its SQLSTATE.
 */
const passing = new RegExp(
  [
    "^08", // connection exception
    "^28", // refused credentials
    "^3D000|^3F000", // no such database or schema (yet)
    "^25006", // read-only: a standby, or a primary that was demoted
    "^40", // serialization failure, deadlock
    "^42P01|^42703|^42883|^42501", // table, column, function not there (yet), no right to it
    "^53", // out of disk, memory, connections
    "^55P03|^55006", // lock not available, object in use
    "^57", // cancelled by a timeout, server stopping, starting or crashed
    "^58", // I/O error
    "^XX", // internal error
  ].join("|"),
);

/** Of those, the ones that mean the connection itself is gone or was never made. */
const connectionLost = /^08|^28|^3D000|^57P0[1-5]/;

/** Codes of the client and of the socket below it. */
const clientConnection =
  /^(CONNECTION_|CONNECT_TIMEOUT|E[A-Z]+$|UND_ERR|ERR_SSL|ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|SASL_|AUTH_TYPE)/;

/** An error of the server about what it was given: the row is bad, its neighbours need not be. */
export function isDataError(error: unknown): boolean {
  return error instanceof postgres.PostgresError && /^(21|22|23|54)/.test(error.code);
}

/** Whether the failure tells that the server cannot be reached or hung up. */
export function isConnectionError(error: unknown): boolean {
  if (error instanceof postgres.PostgresError) return connectionLost.test(error.code);
  return clientConnection.test(codeOf(error));
}

/** The server is there, and has no connection to spare. */
export function isExhausted(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === "53300";
}

/** What callers see: `UnavailableError` for what may pass later, everything else as it was thrown. */
export function toFailure(error: unknown): unknown {
  if (error instanceof UnavailableError) return error;
  const passes =
    error instanceof postgres.PostgresError ? passing.test(error.code) : clientConnection.test(codeOf(error));
  if (!passes) return error;
  return new UnavailableError("postgres", `PostgreSQL is unavailable: ${describe(error)}`, { cause: error });
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function describe(error: unknown): string {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  return message.includes(code) || code === "" ? message : `${message} (${code})`;
}
