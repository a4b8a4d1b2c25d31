import { auditRecorded } from "../../../events/contracts/audit-recorded.ts";
import { UnavailableError } from "../../../runtime/failure.ts";
import type { Ledger } from "../../../runtime/ledger/ledger.ts";
import type { Log } from "../../../runtime/log.ts";
import type { Metrics } from "../../../runtime/metrics.ts";
import { windowGraceMs } from "../../../runtime/state/state.ts";
import type { AddMember, Coverage, State } from "../../../runtime/state/state.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
import { judgingOf } from "../verdict.ts";
import type { Part } from "./plan.ts";
import { toMember, toStep } from "./step.ts";

export interface RestoreDeps {
  readonly state: State;
  readonly ledger: Pick<Ledger, "replay" | "exclusive">;
  readonly now: () => number;
  readonly latenessMs: number;
  readonly metrics: Pick<Metrics, "stateRebuilds">;
  readonly log: Log;
  /** Ends a rebuild under way, which may take long; whoever needs the windows begins anew. */
  readonly stopping?: AbortSignal;
}

interface RestoreOptions {
  /**
   * Also when the windows look current: another rule set may have been in force meanwhile, and what was
   * judged by that one is not in the windows of this one.
   */
  readonly always?: boolean;
}

/** Makes the windows of a rule set trustworthy; rejects with UnavailableError while somebody else does. */
export type Restore = (ruleSet: RuleSet, options?: RestoreOptions) => Promise<void>;

/** The last moment a ledger can hold, so that a clock that is behind hides nothing. */
const endOfTime = Date.UTC(9999, 11, 31);
const addsInFlight = 256;

/**
 * Rebuilds windows from the ledger, one worker at a time in the whole cluster. Everyone who meets lost
 * windows in this process meanwhile waits for the same rebuild.
 */
export function createRestore(deps: RestoreDeps): Restore {
  const { state, ledger, log, stopping } = deps;
  let running:
    | { readonly ruleSet: RuleSet; readonly always: boolean; readonly done: Promise<void> }
    | undefined;

  async function restore(ruleSet: RuleSet, always: boolean): Promise<void> {
    const series = windowed(ruleSet).map((part) => part.series);
    const done = await ledger.exclusive("state-rebuild", async (signal) => {
      if (!always && (await state.isCurrent(series))) return true;
      await rebuild(deps, ruleSet, stopping ? AbortSignal.any([signal, stopping]) : signal);
      return true;
    });
    if (done) return;
    throw new UnavailableError("redis", "Another worker is rebuilding the windows from the ledger.");
  }

  const request: Restore = async (ruleSet, options = {}) => {
    const always = options.always ?? false;
    if (!running) {
      const done = restore(ruleSet, always).finally(() => {
        running = undefined;
      });
      running = { ruleSet, always, done };
      return await done;
    }
    if (running.ruleSet === ruleSet && (running.always || !always)) return await running.done;
    await running.done.catch((error: unknown) => log.debug({ err: error }, "A rebuild failed."));
    return await request(ruleSet, options);
  };
  return request;
}

/** The correlations of a rule set that are evaluated by the windows of the state. */
export function windowed(ruleSet: RuleSet): readonly Part[] {
  return judgingOf(ruleSet).parts.filter(({ mode }) => mode === "window");
}

async function rebuild(
  { state, ledger, now, latenessMs, metrics, log }: RestoreDeps,
  ruleSet: RuleSet,
  signal: AbortSignal,
): Promise<void> {
  const coverage = windowed(ruleSet).map(({ correlation, series }): Coverage => ({
    series,
    from: now() - correlation.timespanMs - latenessMs - windowGraceMs,
  }));
  const from = Math.min(now(), ...coverage.map((part) => part.from));
  let members = 0;
  await state.rebuild(coverage, async (add) => {
    const { judge } = judgingOf(ruleSet);
    const adding = createAdding(add);
    for await (const { event, time } of ledger.replay({ from, to: endOfTime, types: [auditRecorded.type] })) {
      // Without the lock somebody else may be rebuilding already; and a process that stops does not wait.
      signal.throwIfAborted();
      const parsed = auditRecorded.data.safeParse(event.data);
      const verdict = parsed.success ? judge({ source: event.source, data: parsed.data }) : undefined;
      const hits = (verdict?.hits ?? []).filter(({ part }) => part.mode === "window");
      for (const hit of hits) await adding.add(toStep(hit, { member: toMember(event), time }, latenessMs));
      members += hits.length;
    }
    await adding.drain();
  });
  metrics.stateRebuilds.inc();
  log.info({ members, series: coverage.length }, "Windows are rebuilt from the ledger.");
}

/** Adds with a bounded number in flight, so that a rebuild is not one round trip per member. */
function createAdding(add: AddMember) {
  let inFlight: Promise<void>[] = [];
  let failure: { readonly error: unknown } | undefined;
  async function drain(): Promise<void> {
    await Promise.all(inFlight);
    inFlight = [];
    if (failure) throw failure.error;
  }
  return {
    drain,
    async add(step: Parameters<AddMember>[0]): Promise<void> {
      // Caught here, because the replay may be waiting for its next row when it happens.
      const adding = add(step).catch((error: unknown) => {
        failure ??= { error };
      });
      inFlight.push(adding);
      if (inFlight.length >= addsInFlight) await drain();
    },
  };
}
