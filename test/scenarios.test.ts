import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

import { compileRules } from "../functions/analysis/rules/compile.ts";
import { shownRuleId } from "../functions/analysis/rules/content.ts";
import { episodesOf } from "../functions/analysis/rules/episodes.ts";
import { readRuleFiles } from "../functions/analysis/rules/files.ts";
import { createRandom } from "../functions/generator/scenarios/random.ts";
import { scenarios } from "../functions/generator/scenarios/registry.ts";
import type { Scenario } from "../functions/generator/scenarios/scenario.ts";

const folder = fileURLToPath(new URL("../rules/", import.meta.url));
const { ruleSet } = compileRules((await readRuleFiles(folder)).rules);
const inForce = new Set([...ruleSet.rules, ...ruleSet.correlations].map(shownRuleId));
const playings = 100;

/** The rules that alert when a scenario is played by itself, each once for every episode. */
function raisedBy({ play }: Scenario, seed: number): readonly string[] {
  const events = play(createRandom(seed, seed)).map(({ atMs, data }) => ({ time: atMs, data }));
  return episodesOf(ruleSet, events)
    .map(({ shown }) => shown)
    .toSorted();
}

describe.each([...scenarios.values()])("$name", (scenario) => {
  test("names rules that are there, and some if it is hostile", () => {
    expect(scenario.raises.filter((rule) => !inForce.has(rule))).toEqual([]);
    expect(scenario.raises.length > 0).toBe(scenario.hostile);
  });

  test("raises one alert of each rule it names, and no other, however it is played", () => {
    for (let seed = 0; seed < playings; seed += 1)
      expect(raisedBy(scenario, seed), `seed ${seed}`).toEqual(scenario.raises.toSorted());
  });
});
