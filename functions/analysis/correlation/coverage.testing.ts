import { expect } from "vitest";

import type { RuleSet } from "../sigma/rule-set.ts";
import type { Coverage } from "./order-free.testing.ts";

type Numbers = Omit<Coverage, "alerts">;

/** Sums up what the stories of a run covered. */
export function createCoverage({ correlations }: RuleSet) {
  const total: Record<keyof Numbers, number> = {
    crashes: 0,
    unavailable: 0,
    losses: 0,
    late: 0,
    rebuilds: 0,
    settled: 0,
    deadSettlers: 0,
  };
  const raising = correlations.filter(({ silent }) => !silent);
  const alerts = new Map(raising.map(({ id }) => [id, 0]));
  return {
    add(coverage: Coverage): void {
      for (const name of Object.keys(total) as (keyof Numbers)[]) total[name] += coverage[name];
      for (const [id, count] of Object.entries(coverage.alerts))
        alerts.set(id, (alerts.get(id) ?? 0) + count);
    },
    /** Expects that each of the faults was hit, and each correlation raised something, at least so often. */
    expectAtLeast(least: Partial<Record<keyof Numbers | "alerts", number>>): void {
      const { alerts: leastAlerts = 0, ...faults } = least;
      for (const [name, count] of Object.entries(faults)) {
        expect(total[name as keyof Numbers], name).toBeGreaterThan(count);
      }
      const rare = [...alerts].filter(([, count]) => count < leastAlerts);
      expect(rare, "correlations that raised too little").toEqual([]);
    },
  };
}
