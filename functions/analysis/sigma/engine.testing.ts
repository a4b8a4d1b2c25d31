import { createEngine, type EngineLogsource } from "./engine.ts";

/** A document of YAML's subset JSON, in which every value is exactly what the test says. */
export function document(content: object): string {
  return JSON.stringify(content);
}

/** A rule with the id `rule` and the log source `category: test`, changed as a test needs it. */
export function ruleOf(detection: object, changes: object = {}): string {
  const whole = "condition" in detection ? detection : { ...detection, condition: "selection" };
  return document({
    title: "A rule",
    id: "rule",
    logsource: { category: "test" },
    detection: whole,
    ...changes,
  });
}

/** Whether a rule with this detection holds for an event; one without a condition is about `selection`. */
export function holds(detection: object, event: object): boolean {
  return createEngine([ruleOf(detection)]).evaluate(event, { category: "test" }).length === 1;
}

/** The codes an invalid set is refused with. */
export function codesOf(...texts: readonly string[]): readonly string[] {
  try {
    createEngine(texts);
    return [];
  } catch (error) {
    const problems = error instanceof Error && "problems" in error ? error.problems : undefined;
    if (!Array.isArray(problems)) throw error;
    return problems.map(({ code }: { readonly code: string }) => code);
  }
}

/** The code with which a rule with this detection is refused, or `loads`. */
export function refusal(detection: object): string {
  return codesOf(ruleOf(detection)).join(", ") || "loads";
}

/** The rules `a`, `b` and `c`, which hold for events that list the letter under `is`. */
export const letters = ["a", "b", "c"].map((id) =>
  ruleOf({ selection: { is: id } }, { id, title: `Rule ${id}`, name: `name_${id}` }),
);

/** A correlation of the rule `a` with the id `correlation`. */
export function correlationText(correlation: object, changes: object = {}): string {
  const whole = { type: "event_count", rules: ["a"], timespan: "10s", ...correlation };
  return document({ title: "A correlation", id: "correlation", correlation: whole, ...changes });
}

/** What happens when: seconds, the letters of the rules, other fields. */
export type Step = readonly [seconds: number, is: string, fields?: object];

/** Runs events through correlations; answers `seconds rule group values` for everything that is found. */
export function run(texts: readonly string[], steps: readonly Step[]): readonly string[] {
  const engine = createEngine([...letters, ...texts]);
  const logsource: EngineLogsource = { category: "test" };
  return steps.flatMap(([seconds, is, fields]) =>
    engine
      .process(seconds, { is: is.split(""), ...fields }, logsource)
      .correlations.map(({ rule, group }) => [seconds, rule, ...Object.values(group)].join(" ")),
  );
}

/** Seconds at which a correlation is found, without its group. */
export function found(correlation: object, steps: readonly Step[], changes: object = {}): readonly number[] {
  return run([correlationText(correlation, changes)], steps).map((line) => Number(line.split(" ")[0]));
}
