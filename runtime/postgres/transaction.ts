import type postgres from "postgres";

import { UnavailableError } from "../failure.ts";
import type { Pinned } from "./connection.ts";
import { createSql, type Statement } from "./statement.ts";

/** `sql` on one connection: statements run one after the other, also when they are made all at once. */
export function createSerialSql({ execute }: Pinned): postgres.Sql {
  let last: Promise<unknown> = Promise.resolve();
  return createSql((statement: Statement) => {
    const result = last.then(() => execute(statement));
    last = result.catch(() => undefined);
    return result;
  });
}

/**
 * Runs `work` in a transaction on the connection. It is rolled back when the work throws, or when one of
 * its statements failed and the work did not care.
 */
export async function runTransaction<T>(
  connection: Pinned,
  work: (sql: postgres.TransactionSql) => Promise<T>,
): Promise<T> {
  const sql = createSerialSql(connection);
  await sql`begin`;
  try {
    const result = await work(toTransactionSql(sql));
    const { command } = await sql`commit`;
    // A transaction with a failed statement is rolled back whatever we say.
    if (command === "COMMIT") return result;
  } catch (error) {
    // On a lost connection there is nothing to roll back, and the first error says more.
    await sql`rollback`.catch(() => undefined);
    throw error;
  }
  throw new UnavailableError("postgres", "A statement failed, and its transaction was rolled back.");
}

function toTransactionSql(sql: postgres.Sql): postgres.TransactionSql {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is one but for savepoints, which nobody uses
  return sql as unknown as postgres.TransactionSql;
}
