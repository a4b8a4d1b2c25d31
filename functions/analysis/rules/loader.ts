import { watch } from "chokidar";

import type { Log } from "../../../runtime/log.ts";
import type { Metrics } from "../../../runtime/metrics.ts";
import type { RuleProblem } from "../sigma/language/problem.ts";
import type { Compiled } from "../sigma/compile.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
import { compileRules, sha256 } from "./compile.ts";
import { readRuleFiles } from "./files.ts";

export interface RulesOptions {
  readonly directory: string;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "rulesLoaded" | "ruleProblems">;
  /** Called after another rule set took force. */
  readonly onChange?: (ruleSet: RuleSet) => void;
}

/** The rules of a folder, kept up to date. */
export interface Rules extends AsyncDisposable {
  /** The rule set in force; ask once per event, so that one event is judged by one set. */
  current(): RuleSet;
  /** What the last attempt to load found, also when the set it found fault with is not in force. */
  problems(): readonly RuleProblem[];
}

/** Editors and ConfigMap updates touch several files; they are read once nothing moved for this long. */
const quietMs = 100;

/**
 * Opens a folder of rules and watches it. When it is opened, rules with errors are left out and reported.
 * Later, a change that brings an error is reported and leaves the whole set before it in force: half a
 * change might be worse than none. Errors that were there when the set in force was loaded do not stand
 * in the way of further changes.
 */
export async function openRules({ directory, log, metrics, onChange }: RulesOptions): Promise<Rules> {
  let inForce = (await read(directory)).compile();
  let { problems, digest: lastDigest } = inForce;
  report();

  const watcher = watch(directory, { ignoreInitial: true });
  const ready = new Promise<void>((resolve) => void watcher.once("ready", resolve));
  watcher.on("error", (error) => log.warn({ err: error, directory }, "the rules cannot be watched"));
  const reload = createReload(applyChange, (error) => log.error({ err: error }, "reloading rules failed"));
  watcher.on("all", () => reload.soon());
  await ready;
  // What changed between the first reading and the watch would otherwise be missed.
  reload.soon();

  return {
    current: () => inForce.ruleSet,
    problems: () => problems,
    async [Symbol.asyncDispose]() {
      await watcher.close();
      await reload.stop();
    },
  };

  async function applyChange(): Promise<void> {
    const { digest, compile } = await read(directory);
    if (digest === lastDigest) return;
    const loaded = compile();
    lastDigest = digest;
    problems = loaded.problems;
    const accepted = newErrors(loaded, inForce).length === 0;
    if (accepted) inForce = loaded;
    report();
    if (accepted) onChange?.(inForce.ruleSet);
    else log.error({ directory }, "the changed rules have errors: the set before them stays in force");
  }

  function report(): void {
    const { rules, correlations, hash } = inForce.ruleSet;
    metrics.rulesLoaded.set(rules.length + correlations.length);
    metrics.ruleProblems.set(problems.length);
    for (const { message, severity, ...problem } of problems) {
      log[severity === "error" ? "error" : "warn"](problem, message);
    }
    log.info({ rules: rules.length, correlations: correlations.length, hash }, "rules in force");
  }
}

/** A loaded folder, and a digest of what it was made of, to tell a change from a touch. */
interface Loaded extends Compiled {
  readonly digest: string;
}

/** Reads the folder; `compile` only when it holds something else, because that is what takes long. */
async function read(directory: string) {
  const files = await readRuleFiles(directory);
  const digest = sha256(JSON.stringify([files.rules, files.problems]));
  const compile = (): Loaded => {
    const compiled = compileRules(files.rules);
    return { ...compiled, problems: [...files.problems, ...compiled.problems], digest };
  };
  return { digest, compile };
}

/** Errors by what and where, but not by line: another edit of the file moves them. */
function newErrors({ problems }: Compiled, before: Compiled): readonly RuleProblem[] {
  const known = new Set(before.problems.map(keyOf));
  return problems.filter((problem) => problem.severity === "error" && !known.has(keyOf(problem)));
}

function keyOf({ code, file, message }: RuleProblem): string {
  return JSON.stringify([code, file, message]);
}

/** Runs `step` once things are quiet, never twice at a time, and once more when it was asked meanwhile. */
function createReload(step: () => Promise<void>, onError: (error: unknown) => void) {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  return {
    soon() {
      clearTimeout(timer);
      timer = setTimeout(() => {
        running = running.then(step).catch(onError);
      }, quietMs).unref();
    },
    async stop() {
      clearTimeout(timer);
      await running;
    },
  };
}
