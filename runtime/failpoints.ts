/**
 * Failpoints: places where a test makes the process die, or an operation fail, on purpose. They are
 * compiled in and do nothing unless a function's setting AUDITFLOW_FAILPOINTS names them:
 *
 *     AUDITFLOW_FAILPOINTS="after-accept:kill:0.01,record:execute-then-throw:0.05"
 *
 * is `<name>:<kind>:<probability>` one or more times. Kinds: `kill` (SIGKILL on this process before the
 * operation), `throw` (fails before the operation), `execute-then-throw` (the operation happens, its
 * caller sees a failure). With AUDITFLOW_FAILPOINTS_SEED the same calls fail in every run.
 */
const kinds = ["kill", "throw", "execute-then-throw"] as const;
type Kind = (typeof kinds)[number];

/** Thrown by a failpoint; a failure like any other that may pass. */
class FailpointError extends Error {
  override readonly name = "FailpointError";
}

/** Passes a named place, or runs an operation under a name. */
export interface Failpoint {
  (name: string): Promise<void>;
  <T>(name: string, operation: () => Promise<T>): Promise<T>;
}

export interface FailpointOptions {
  /** In [0, 1); see `createSeededRandom`. */
  readonly random: () => number;
  readonly kill?: () => void;
  /** Told whenever one fires: a fault test that does not count its faults is no evidence. */
  readonly onFire?: (name: string, kind: string) => void;
}

/** What production runs with. */
export const noFailpoint: Failpoint = failpointAround((_name, operation) => operation());

/** Compiles a specification; throws an Error that names what is wrong with it. "" enables none. */
export function createFailpoint(specification: string, options: FailpointOptions): Failpoint {
  const enabled = new Map(specification.split(",").filter(Boolean).map(parseEntry));
  if (enabled.size === 0) return noFailpoint;
  const { random, kill = killThisProcess, onFire } = options;

  return failpointAround(async (name, operation) => {
    const entry = enabled.get(name);
    if (!entry || random() >= entry.probability) return await operation();
    onFire?.(name, entry.kind);
    if (entry.kind === "kill") kill();
    else if (entry.kind === "execute-then-throw") await operation();
    throw new FailpointError(`Failpoint ${name} (${entry.kind}).`);
  });
}

/** A place is an operation that does nothing. */
function failpointAround(around: <T>(name: string, operation: () => Promise<T>) => Promise<T>): Failpoint {
  function failpoint(name: string): Promise<void>;
  function failpoint<T>(name: string, operation: () => Promise<T>): Promise<T>;
  function failpoint(name: string, operation: () => Promise<unknown> = nothing): Promise<unknown> {
    return around(name, operation);
  }
  return failpoint;
}

async function nothing(): Promise<void> {}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). Not for secrets. */
export function createSeededRandom(seed: number): () => number {
  let state = Math.trunc(seed);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function parseEntry(text: string): readonly [string, { readonly kind: Kind; readonly probability: number }] {
  const [name = "", given = "", chance = "1"] = text.trim().split(":");
  const kind = kinds.find((known) => known === given);
  const probability = Number(chance);
  if (name && kind && probability >= 0 && probability <= 1) return [name, { kind, probability }];
  throw new Error(`Failpoint '${text}': expected <name>:<${kinds.join("|")}>:<probability from 0 to 1>.`);
}

function killThisProcess(): void {
  process.kill(process.pid, "SIGKILL");
}
