import postgres from "postgres";

/** What the client keeps of a statement: it is handed to a connection by `handler` once it is awaited. */
export interface Statement extends Promise<unknown> {
  handler: ((statement: Statement) => unknown) & { debug?: unknown };
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/** Never connects: it only makes statements, the same ones for everybody. */
const maker = postgres({ max: 1, host: "localhost", user: "nobody" });

/**
 * Runs a statement through the handler of some client. `onFailure` is called synchronously, before anybody
 * who waits for the statement can do anything further.
 */
export function run(
  statement: Statement,
  handler: Statement["handler"],
  onFailure: (error: unknown) => void,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    statement.resolve = resolve;
    statement.reject = (error) => {
      onFailure(error);
      reject(error);
    };
    handler(statement);
  });
}

/**
 * The client's `sql`, each of whose statements is run by `execute` instead. Fragments (statements nested in
 * another) are never run by themselves, so nothing happens to them. Cursors, `begin`, `reserve` and
 * `listen` are not supported: page by key, and see `Postgres`.
 */
export function createSql(execute: (statement: Statement) => Promise<unknown>): postgres.Sql {
  const wrapped = (made: unknown) => {
    if (isStatement(made)) redirect(made, execute);
    return made;
  };
  return new Proxy(maker, {
    apply: (target, self, args) => wrapped(Reflect.apply(target, self, args)),
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      if (key === "unsafe") return (...args: unknown[]) => wrapped(Reflect.apply(value, undefined, args));
      return unsupported.has(key) ? undefined : value;
    },
  });
}

const unsupported = new Set<string | symbol>([
  "begin",
  "reserve",
  "listen",
  "subscribe",
  "largeObject",
  "file",
]);

function redirect(statement: Statement, execute: (statement: Statement) => Promise<unknown>): void {
  const { handler, resolve, reject } = statement;
  const start = (self: Statement) => execute(self).then(resolve, reject);
  statement.handler = Object.assign(start, { debug: handler.debug });
}

/** The client also answers helpers of other kinds, which are not run. */
export function isStatement(made: unknown): made is Statement {
  return made instanceof Promise && "handler" in made && "resolve" in made;
}
