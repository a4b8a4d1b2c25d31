import type postgres from "postgres";

/** What the client keeps of a statement: it is handed to a connection by `handler` once it is awaited. */
interface Statement extends Promise<unknown> {
  handler: ((statement: Statement) => unknown) & { debug?: unknown };
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/** Runs something under the pool's rules; `work` settles with the statement. */
type Perform = (work: () => Promise<unknown>) => Promise<unknown>;

/**
 * `sql` over whichever pool is current, each of its statements run by `perform`. Fragments (statements
 * nested in another) are never handed over, so nothing happens to them. Cursors are not supported: they
 * would hold a connection for as long as the reader likes; page by key instead.
 */
export function wrapSql(current: () => postgres.Sql, perform: Perform): postgres.Sql {
  const wrapped = (made: unknown) => {
    if (isStatement(made)) instrument(made, perform);
    return made;
  };
  // The target only gives the proxy its kind; every access goes to the pool of the moment.
  return new Proxy(current(), {
    apply: (_, self, args) => wrapped(Reflect.apply(current(), self, args)),
    get: (_, key) => {
      const value: unknown = Reflect.get(current(), key);
      if (key !== "unsafe" || typeof value !== "function") return value;
      return (...args: unknown[]) => wrapped(Reflect.apply(value, undefined, args));
    },
  });
}

function instrument(statement: Statement, perform: Perform): void {
  const { handler, resolve, reject } = statement;
  const run = (self: Statement) => {
    const work = () =>
      new Promise((done, fail) => {
        self.resolve = done;
        self.reject = fail;
        handler(self);
      });
    perform(work).then(resolve, reject);
  };
  statement.handler = Object.assign(run, { debug: handler.debug });
}

/** The client also answers helpers of other kinds, which are not run. */
function isStatement(made: unknown): made is Statement {
  return made instanceof Promise && "handler" in made && "resolve" in made;
}
