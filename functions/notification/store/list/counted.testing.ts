import connectClient from "postgres";

/** A client whose statements can be counted and read. */
export interface CountedSql extends AsyncDisposable {
  readonly sql: connectClient.Sql;
  /** The texts of the statements run since the last call, those about types and settings left out. */
  taken(): readonly string[];
}

export function connectCounted(url: string): CountedSql {
  const texts: string[] = [];
  const sql = connectClient(url, {
    max: 1,
    onnotice: () => undefined,
    // As the functions' own connections.
    fetch_types: false,
    debug: (_connection, text) => texts.push(text),
  });
  return {
    sql,
    taken: () => texts.splice(0),
    [Symbol.asyncDispose]: () => sql.end(),
  };
}
