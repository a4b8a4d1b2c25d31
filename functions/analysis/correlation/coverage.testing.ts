import { expect } from "vitest";

import type { RuleSet } from "../sigma/rule-set.ts";
import type { Coverage } from "./order-free.testing.ts";

const faults = [
  "crashes",
  "unavailable",
  "losses",
  "late",
  "rebuilds",
  "settled",
  "deadSettlers",
] as const satisfies readonly (keyof Coverage)[];

/** How often something must have happened at least. */
export type Least = Partial<Record<(typeof faults)[number] | "alerts", number>>;

/** Sums up what the stories of a run covered. */
export function createCoverage({ correlations }: RuleSet) {
  const total = new Map<(typeof faults)[number], number>();
  const raising = correlations.filter(({ silent }) => !silent);
  const alerts = new Map(raising.map(({ id }) => [id, 0]));
  return {
    add(coverage: Coverage): void {
      for (const fault of faults) total.set(fault, (total.get(fault) ?? 0) + coverage[fault]);
      for (const [id, count] of Object.entries(coverage.alerts))
        alerts.set(id, (alerts.get(id) ?? 0) + count);
    },
    /** Expects that each of the faults was hit, and each correlation raised something, so often. */
    expectAtLeast(least: Least): void {
      for (const fault of faults) expect(total.get(fault), fault).toBeGreaterThanOrEqual(least[fault] ?? 0);
      const rare = [...alerts].filter(([, count]) => count < (least.alerts ?? 0));
      expect(rare, "correlations that raised too little").toEqual([]);
    },
  };
}
