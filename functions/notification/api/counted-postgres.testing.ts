import { createConnection } from "../../../runtime/postgres/connection.ts";
import type { Postgres } from "../../../runtime/postgres/postgres.ts";
import { createSql, type Statement } from "../../../runtime/postgres/statement.ts";
import { runTransaction } from "../../../runtime/postgres/transaction.ts";

/** PostgreSQL on one connection, telling of every statement it sends. */
export function openCounted(url: string, onStatement: () => void): Postgres {
  const connection = createConnection({
    url,
    name: "test",
    connectTimeoutMs: 3000,
    statementTimeoutMs: 10_000,
  });
  let last: Promise<unknown> = Promise.resolve();
  const execute = (statement: Statement) => {
    onStatement();
    const result = last.then(() => connection.execute(statement));
    last = result.catch(() => undefined);
    return result;
  };
  return {
    sql: createSql(execute),
    transaction: (work) => runTransaction({ execute, isLost: () => false }, work),
    session: () => Promise.reject(new Error("no session here")),
    [Symbol.asyncDispose]: () => connection.end(1000),
  };
}
