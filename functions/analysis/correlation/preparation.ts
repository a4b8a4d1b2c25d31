import { setTimeout as sleep } from "node:timers/promises";

import type { Log } from "../../../runtime/log.ts";
import type { State } from "../../../runtime/state/state.ts";
import type { RuleSet } from "../sigma/rule-set.ts";
import { type Restore, windowed } from "./rebuild.ts";

export interface PreparationDeps {
  readonly state: Pick<State, "isCurrent" | "read" | "write">;
  readonly restore: Restore;
  readonly log: Log;
}

export interface Preparation extends AsyncDisposable {
  /** Makes the windows of a rule set ready, in the background and until it succeeds. The latest one counts. */
  prepare(ruleSet: RuleSet): void;
}

/** Under it the state keeps which correlations were in force last. */
const inForceKey = "analysis/correlations-in-force";
const pausesMs = [200, 1000, 5000, 15_000] as const;

/**
 * Prepares windows when the function starts and when its rules change. When the correlations are not the
 * ones that were in force last, in this process or any other, their windows are rebuilt even though they
 * look current: what was judged under the others meanwhile is not in them. While two rule sets run side
 * by side, as during a roll-out, each event is judged by one of them only.
 */
export function createPreparation({ state, restore, log }: PreparationDeps): Preparation {
  const stopping = new AbortController();
  let wanted: RuleSet | undefined;
  let running: Promise<void> | undefined;

  async function attempt(ruleSet: RuleSet): Promise<void> {
    const series = windowed(ruleSet).map((part) => part.series);
    const inForce = series.toSorted().join("\n");
    const isChanged = (await state.read(inForceKey)) !== inForce;
    if (!isChanged && (await state.isCurrent(series))) return;
    await restore(ruleSet, { always: isChanged });
    await state.write(inForceKey, inForce);
  }

  async function run(): Promise<void> {
    for (let failures = 0; wanted && !stopping.signal.aborted;) {
      const ruleSet = wanted;
      try {
        await attempt(ruleSet);
        failures = 0;
        if (wanted === ruleSet) wanted = undefined;
      } catch (error) {
        log.warn({ err: error }, "Windows could not be prepared yet.");
        const pauseMs = pausesMs[Math.min(failures, pausesMs.length - 1)];
        failures += 1;
        await sleep(pauseMs, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
      }
    }
    running = undefined;
  }

  return {
    prepare(ruleSet) {
      wanted = ruleSet;
      running ??= run();
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running;
    },
  };
}
