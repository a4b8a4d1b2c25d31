import type postgres from "postgres";

/** What the client keeps of a statement under way; `active` while a connection works on it. */
interface Statement extends Promise<unknown> {
  active: boolean;
  handler: ((statement: Statement) => void) & { debug?: unknown };
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

interface Watched {
  readonly statement?: Statement;
  readonly limitMs: number;
  idleMs: number;
}

const lookMs = 500;

/** A statement that takes longer than this makes the server be looked at. */
const slowMs = 2000;

/** The server ends transactions that idle for 30 s; one that is silent for longer has lost its connection. */
const transactionMs = 35_000;

/**
 * Notices statements whose connection died without a word (a half-open connection): the server's own
 * `statement_timeout` answers in time or never. Queued statements do not count, only those a connection
 * has taken up.
 */
export function createStatementWatch(deps: {
  readonly statementMs: number;
  readonly onSlow: () => void;
  readonly onHung: () => void;
}) {
  const watched = new Set<Watched>();
  let timer: NodeJS.Timeout | undefined;

  function look() {
    let slow = false;
    let hung = false;
    for (const one of watched) {
      if (one.statement === undefined || one.statement.active) one.idleMs += lookMs;
      slow ||= one.statement !== undefined && one.idleMs === slowMs;
      hung ||= one.idleMs > one.limitMs;
    }
    if (hung) {
      watched.clear();
      deps.onHung();
    } else if (slow) deps.onSlow();
    if (watched.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  function start(one: Watched) {
    watched.add(one);
    timer ??= setInterval(look, lookMs).unref();
    return () => void watched.delete(one);
  }

  return {
    /** `sql` over whichever pool is current: statements are refused, watched and their failures mapped. */
    wrap: (current: () => postgres.Sql, hooks: Hooks) =>
      wrapSql(current, (statement) => instrument(statement, hooks, () => start(entry(deps, statement)))),
    /** Watches a transaction until disposed. */
    transaction(): Disposable {
      return { [Symbol.dispose]: start({ limitMs: transactionMs, idleMs: 0 }) };
    },
    stop: () => clearInterval(timer),
  };
}

interface Hooks {
  /** Why no statement can run now. */
  readonly refuse: () => unknown;
  readonly fail: (error: unknown) => unknown;
}

function entry({ statementMs }: { readonly statementMs: number }, statement: Statement): Watched {
  return { statement, limitMs: statementMs, idleMs: 0 };
}

/**
 * Hooks into a statement where the client hands it to a connection. Fragments (statements nested in
 * another) are never handed over, so nothing happens to them.
 */
function instrument(statement: Statement, { refuse, fail }: Hooks, start: () => () => void): void {
  const { handler, resolve, reject } = statement;
  const run = (self: Statement) => {
    const refused = refuse();
    if (refused !== undefined) return reject(refused);
    const stop = start();
    self.resolve = (value) => (stop(), resolve(value));
    self.reject = (error) => (stop(), reject(fail(error)));
    return handler(self);
  };
  statement.handler = Object.assign(run, { debug: handler.debug });
}

/** The client also answers helpers and fragments of other kinds, which are not run. */
function isStatement(made: unknown): made is Statement {
  return made instanceof Promise && "handler" in made && "active" in made;
}

function wrapSql(current: () => postgres.Sql, touch: (statement: Statement) => void): postgres.Sql {
  const touched = (made: unknown) => {
    if (isStatement(made)) touch(made);
    return made;
  };
  // The target only gives the proxy its kind; every access goes to the pool of the moment.
  return new Proxy(current(), {
    apply: (_, self, args) => touched(Reflect.apply(current(), self, args)),
    get: (_, key) => {
      const value: unknown = Reflect.get(current(), key);
      if (key !== "unsafe" || typeof value !== "function") return value;
      return (...args: unknown[]) => touched(Reflect.apply(value, undefined, args));
    },
  });
}
