import type { Log } from "../../../runtime/log.ts";
import type { Metrics } from "../../../runtime/metrics.ts";
import type { RuleProblem } from "../sigma/language/problem.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
import { type LoadedRules, readSource } from "./source.ts";
import { watchRules } from "./watch.ts";

export interface RulesOptions {
  /** A folder of rule files, or a pack (see `readSource`). */
  readonly directory: string;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "rulesLoaded" | "ruleProblems">;
  /** Epoch milliseconds, for filters that expire; without it none does. */
  readonly now?: () => number;
  /** Called after another rule set took force. */
  readonly onChange?: (ruleSet: RuleSet) => void;
  /** Called with what each attempt to load found, also when it changed nothing. */
  readonly onProblems?: (problems: readonly RuleProblem[]) => void;
}

/** The rules of a folder or of a pack, kept up to date. */
export interface Rules extends AsyncDisposable {
  /** The rule set in force; ask once per event, so that one event is judged by one set. */
  current(): RuleSet;
  /** What the last attempt to load found, also when the set it found fault with is not in force. */
  problems(): readonly RuleProblem[];
}

/** Editors and ConfigMap updates touch several files; they are read once nothing moved for this long. */
const quietMs = 100;
/** The longest a timer of Node's can wait. */
const longestTimerMs = 2_147_483_647;

/**
 * Opens rules and watches them. When they are opened, rules with errors are left out and reported. Later,
 * a change that brings an error is reported and leaves the whole set before it in force: half a change
 * might be worse than none. Errors that were there when the set in force was loaded do not stand in the
 * way of further changes.
 */
export async function openRules(options: RulesOptions): Promise<Rules> {
  const { directory, log, now, onChange } = options;
  const report = createReport(options);
  const first = await readSource(directory);
  let inForce = await first.load(now?.());
  let sourceInForce = first;
  let lastDigest = first.digest;
  let { problems } = inForce;
  report(inForce.ruleSet, problems);

  const reload = createReload(applyChange, (error) => log.error({ err: error }, "reloading rules failed"));
  reload.at(remainingMs());
  const watching = watchRules(directory, {
    onChange: () => reload.soon(),
    onError: (error) => log.warn({ err: error, directory }, "the rules cannot be watched"),
  });

  return {
    current: () => inForce.ruleSet,
    problems: () => problems,
    async [Symbol.asyncDispose]() {
      await watching[Symbol.asyncDispose]();
      await reload.stop();
    },
  };

  async function applyChange(): Promise<void> {
    const source = await readSource(directory);
    const remaining = remainingMs();
    if (source.digest === lastDigest && !(remaining <= 0)) return reload.at(remaining);
    const loaded = await source.load(now?.());
    lastDigest = source.digest;
    problems = loaded.problems;
    const accepted = newObjections(loaded, inForce).length === 0;
    if (accepted) [inForce, sourceInForce] = [loaded, source];
    // An exception ends when it expires, whatever stands in the way of a change.
    else if (remaining <= 0) inForce = await sourceInForce.load(now?.());
    report(inForce.ruleSet, problems);
    reload.at(remainingMs());
    if (!accepted) log.error({ directory }, "the changed rules have errors: the rules before stay in force");
    if (accepted || remaining <= 0) onChange?.(inForce.ruleSet);
  }

  /** Until a filter in force expires; infinite when none does. */
  function remainingMs(): number {
    if (inForce.expiresAt === undefined || now === undefined) return Number.POSITIVE_INFINITY;
    return inForce.expiresAt - now();
  }
}

function createReport({ log, metrics, onProblems }: Pick<RulesOptions, "log" | "metrics" | "onProblems">) {
  return ({ size, correlations, hash }: RuleSet, problems: readonly RuleProblem[]): void => {
    metrics.rulesLoaded.set(size);
    metrics.ruleProblems.set(problems.length);
    for (const { message, severity, ...problem } of problems) {
      log[severity === "error" ? "error" : "warn"](problem, message);
    }
    const rules = size - correlations.length;
    log.info({ rules, correlations: correlations.length, hash }, "rules in force");
    onProblems?.(problems);
  };
}

/** Errors by what and where, but not by line: another edit of the file moves them. */
function newObjections({ objections }: LoadedRules, before: LoadedRules): readonly RuleProblem[] {
  const known = new Set(before.objections.map(keyOf));
  return objections.filter((problem) => !known.has(keyOf(problem)));
}

function keyOf({ code, file, message }: RuleProblem): string {
  return JSON.stringify([code, file, message]);
}

/** Runs `step` once things are quiet, never twice at a time, and once more when it was asked meanwhile. */
function createReload(step: () => Promise<void>, onError: (error: unknown) => void) {
  let quiet: NodeJS.Timeout | undefined;
  let planned: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const run = () => {
    running = running.then(step).catch(onError);
  };
  return {
    soon() {
      clearTimeout(quiet);
      quiet = setTimeout(run, quietMs).unref();
    },
    /** Runs it after this many milliseconds too; what is past already is not tried again. */
    at(ms: number) {
      clearTimeout(planned);
      if (ms > 0 && ms < Infinity) planned = setTimeout(run, Math.min(ms, longestTimerMs)).unref();
    },
    async stop() {
      clearTimeout(quiet);
      clearTimeout(planned);
      await running;
    },
  };
}
