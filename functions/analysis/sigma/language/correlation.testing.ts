import { compile, rule } from "../compiling.testing.ts";
import type { Correlation } from "./correlation.ts";

/** A rule with the name `failed_login`. */
export const failed = rule("  s: {result: FAILURE}\n  condition: s", "id: id-failed\nname: failed_login\n");

/** A rule that matches its own name. */
export const named = (name: string) =>
  rule(`  s: {a: ${name}}\n  condition: s`, `id: id-${name}\nname: ${name}\n`);

/** A correlation with these keys; they begin in line 4. */
export function correlation(id: string, keys: Readonly<Record<string, string>>): string {
  const lines = Object.entries(keys).map(([key, value]) => `  ${key}: ${value}\n`);
  return `title: Burst\nid: ${id}\ncorrelation:\n${lines.join("")}`;
}

/** A correlation of `failed_login` with all keys, some of them changed or added; they begin in line 4. */
export function whole(changes: Readonly<Record<string, string>> = {}): string {
  return correlation("id-burst", {
    type: "event_count",
    rules: "[failed_login]",
    "group-by": "[user_id, server_hostname]",
    timespan: "60s",
    condition: "{gte: 3}",
    ...changes,
  });
}

/** The same, compiled with its rule. */
export function burst(changes: Readonly<Record<string, string>> = {}): Correlation | undefined {
  return compile(failed, whole(changes)).ruleSet.correlations[0];
}
