const unitMs: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** Milliseconds of `10s`, `1.5m`, `250ms`; `undefined` when the text is no duration. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit = ""] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text) ?? [];
  const perUnit = unitMs.get(unit);
  return perUnit === undefined ? undefined : Math.round(Number(count) * perUnit);
}
