const unitMs: ReadonlyMap<string, number> = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** A year: what waits longer is a mistake. */
const longestMs = 366 * 86_400_000;

/** Milliseconds of `30s`, `5m`, `1h30m`, `1d`; `undefined` for anything else and for more than a year. */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d{1,9}[smhd])+$/.test(text)) return undefined;
  let ms = 0;
  for (const [, count, unit = ""] of text.matchAll(/(\d+)([smhd])/g)) {
    ms += Number(count) * (unitMs.get(unit) ?? 0);
  }
  return ms <= longestMs ? ms : undefined;
}

/** The same back, in the largest units that leave nothing over: `1h30m`. */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = "";
  for (const [unit, size] of [...unitMs].toReversed()) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text || "0s";
}
