import type postgres from "postgres";

import type { Postgres } from "../../../runtime/postgres/postgres.ts";
import { isStatement } from "../../../runtime/postgres/statement.ts";

type Used = Pick<Postgres, "sql" | "transaction">;

/** The same PostgreSQL, and how many statements were run on it; fragments of others are none. */
export function countStatements(inner: Used): { readonly postgres: Used; readonly count: () => number } {
  let count = 0;

  function counted<Sql extends postgres.ISql>(sql: Sql): Sql {
    return new Proxy(sql, {
      apply(target, self, args) {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is one that can be called
        const made: unknown = Reflect.apply(target as unknown as () => unknown, self, args);
        if (!isStatement(made)) return made;
        const { handler } = made;
        const run: typeof handler = (statement) => {
          count += 1;
          return handler(statement);
        };
        made.handler = Object.assign(run, { debug: handler.debug });
        return made;
      },
    });
  }

  return {
    postgres: {
      sql: counted(inner.sql),
      transaction: (work) => inner.transaction((sql) => work(counted(sql))),
    },
    count: () => count,
  };
}
