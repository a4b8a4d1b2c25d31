import { alertRaised } from "../../events/contracts/alert-raised.ts";
import { auditRecorded } from "../../events/contracts/audit-recorded.ts";
import { createApp } from "../../runtime/app.ts";
import { createFailpoint, createSeededRandom } from "../../runtime/failpoints.ts";
import { UnavailableError } from "../../runtime/failure.ts";
import { defineFunction } from "../../runtime/function.ts";
import type { FunctionHost, RunningFunction } from "../../runtime/function.ts";
import type { Ledger } from "../../runtime/ledger/ledger.ts";
import { openPostgresLedger } from "../../runtime/ledger/postgres.ts";
import { createReconciler } from "../../runtime/ledger/reconciler.ts";
import { openPostgres } from "../../runtime/postgres/postgres.ts";
import { openState } from "../../runtime/state/open.ts";
import { analysisConfig } from "./config.ts";
import type { AnalysisConfig } from "./config.ts";
import { createEvaluate } from "./correlation/evaluate.ts";
import { createPreparation } from "./correlation/preparation.ts";
import { createRestore } from "./correlation/rebuild.ts";
import { createReplays } from "./correlation/replays.ts";
import { createSettlement, type Settle } from "./correlation/settlement.ts";
import { createDetector } from "./detector.ts";
import { openRules } from "./rules/loader.ts";
import { createRulesAlarm, type RulesAlarm } from "./rules-alert.ts";
import type { RuleProblem } from "./sigma/language/problem.ts";
import type { RuleSet } from "./sigma/rule-set.ts";

type Host = FunctionHost<AnalysisConfig>;
type Accepts = typeof auditRecorded;

/** How many overdue events, or timers, one page of a reconciliation holds. */
const reconcileLimit = 500;

/** Turns audit events into alerts, by rules. */
export const analysis = defineFunction({
  name: "analysis",
  accepts: [auditRecorded],
  // Overdue events are emitted again by `POST /reconcile`, as they were.
  emits: [alertRaised],
  schedulePaths: ["/reconcile"],
  config: analysisConfig,
  start,
});

async function start(host: Host): Promise<RunningFunction<Accepts>> {
  const { config, log, metrics, now, random } = host;
  const latenessMs = config.AUDITFLOW_LATENESS;
  await using opening = new AsyncDisposableStack();
  const ledger = await openLedger(host, opening);
  const state = opening.use(await openState(config, host, ["correlation of events"]));
  const stopping = new AbortController();
  const restore = createRestore({
    state,
    ledger,
    now,
    latenessMs,
    metrics,
    log,
    stopping: stopping.signal,
  });
  const preparation = opening.use(createPreparation({ state, restore, log }));
  const alarm = createRulesAlarm({ sink: host.sink, now, log });
  const rules = await openWatchedRules(host, {
    opening,
    onChange: (ruleSet) => preparation.prepare(ruleSet),
    onProblems: (problems) => alarm.report(problems),
  });
  preparation.prepare(rules());
  opening.defer(() => stopping.abort(new UnavailableError("process", "The process is stopping.")));

  const replays = createReplays({ ledger });
  const evaluate = createEvaluate({ state, restore, replays, latenessMs, now, metrics });
  const seed = config.AUDITFLOW_FAILPOINTS_SEED;
  const failpoint = createFailpoint(config.AUDITFLOW_FAILPOINTS, {
    random: seed === undefined ? random : createSeededRandom(seed),
    onFire: (name, kind) => log.warn({ name, kind }, "failpoint"),
  });
  const maxGroups = config.AUDITFLOW_MAX_GROUPS;
  const floodLimit = config.AUDITFLOW_FLOOD_LIMIT;
  const judging = { rules, ledger, evaluate, state, maxGroups, floodLimit };
  const detect = createDetector({ ...judging, failpoint, log, metrics });
  const { sink } = host;
  const settle = createSettlement({ rules, ledger, replays, sink, limit: reconcileLimit, log, metrics });
  const app = createRoutes(host, { ledger, settle, alarm });
  const opened = opening.move();
  return {
    handle: (event) => detect(event),
    fetch: (request) => app.fetch(request),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function openLedger(
  { config, health, log, metrics }: Host,
  opening: AsyncDisposableStack,
): Promise<Ledger> {
  const dependency = health.dependency("postgres", {
    impairs: ["accepting and evaluating events", "emitting overdue events again"],
  });
  const { DATABASE_URL: url, AUDITFLOW_POSTGRES_CONNECTIONS: max } = config;
  const postgres = opening.use(await openPostgres({ url, max, name: "analysis", health: dependency, log }));
  return opening.use(openPostgresLedger(postgres, { log, metrics }));
}

interface Watching {
  readonly opening: AsyncDisposableStack;
  readonly onChange: (ruleSet: RuleSet) => void;
  readonly onProblems: (problems: readonly RuleProblem[]) => void;
}

/** The rules in force, for as long as `opening` lives. Bad files are reported and the last good set kept. */
async function openWatchedRules(
  { config, health, log, metrics, now }: Host,
  { opening, onChange, onProblems }: Watching,
): Promise<() => RuleSet> {
  const dependency = health.dependency("rules", { impairs: ["detection"] });
  const tell = ({ size }: RuleSet) => {
    if (size > 0) dependency.up();
    else dependency.down(`no rule is in force; looked in ${config.AUDITFLOW_RULES_DIR}`);
  };
  const directory = config.AUDITFLOW_RULES_DIR;
  const opened = await openRules({
    directory,
    log,
    metrics,
    now,
    onProblems,
    onChange: (ruleSet: RuleSet) => {
      tell(ruleSet);
      onChange(ruleSet);
    },
  });
  const rules = opening.use(opened);
  tell(rules.current());
  return () => rules.current();
}

interface Reconciling {
  readonly ledger: Ledger;
  readonly settle: Settle;
  readonly alarm: RulesAlarm;
}

/**
 * `POST /reconcile`: judges what has waited for its time to pass, and emits again what the broker lost.
 * Called by a clock. When one of the two fails, the other has had its turn.
 */
function createRoutes({ config, log, metrics, sink }: Host, { ledger, settle, alarm }: Reconciling) {
  const olderThanMs = config.AUDITFLOW_RECONCILE_AFTER;
  const reconcile = createReconciler({ ledger, sink, olderThanMs, limit: reconcileLimit, metrics });
  const app = createApp({ log });
  app.post("/reconcile", async (context) => {
    const [settled] = await Promise.allSettled([settle(), alarm.retry()]);
    const reconciled = await reconcile();
    if (settled.status === "rejected") throw settled.reason;
    return context.json({ ...reconciled, timers: settled.value });
  });
  return app;
}
