import { coarse } from "./gram-table.ts";
import { type Attempt, beyondAscii, type Entry, folding, ignore, type Pass, tryAt } from "./needle.ts";

/** Needles of one to three characters, anywhere, by their first character, after a look at two. */
export function createShort(entries: readonly Entry[]): Pass | undefined {
  if (entries.length === 0) return undefined;
  const byFirst = Map.groupBy(entries, ({ literal }) => literal.charCodeAt(0));
  const pairs = pairsOf(entries);
  const at: Attempt = { start: 0, report: ignore, ascii: true };
  return (text, report, ascii) => {
    at.report = report;
    at.ascii = ascii;
    const { length } = text;
    let seen = 0;
    let code = 0;
    let next = length > 0 ? text.charCodeAt(0) : 0;
    for (let i = 0; i < length; i += 1) {
      code = next;
      next = i + 1 < length ? text.charCodeAt(i + 1) : 0;
      seen |= code;
      if ((code | next) < beyondAscii && pairs[pairOf(code, next)] === 0) continue;
      const found = byFirst.get(code < beyondAscii ? (folding[code] ?? 0) : code) ?? nothing;
      at.start = i;
      for (const entry of found) {
        if (i + entry.literal.length <= length) seen |= tryAt(entry, text, at);
      }
    }
    return ascii ? seen : 0;
  };
}

const nothing: readonly Entry[] = [];

function pairOf(first: number, second: number): number {
  return ((first | 0x20) << 7) | (second | 0x20);
}

/** For every two ASCII characters, case aside, whether a needle may begin with them. */
function pairsOf(entries: readonly Entry[]): Uint8Array {
  const pairs = new Uint8Array(beyondAscii * beyondAscii);
  for (const { literal } of entries) {
    const first = literal.charCodeAt(0);
    if (first >= beyondAscii) continue;
    for (let second = 0; second < beyondAscii; second += 1) {
      const isIt = literal.length === 1 || coarse(literal.charCodeAt(1)) === coarse(second);
      if (isIt) pairs[pairOf(first, second)] = 1;
    }
  }
  return pairs;
}
