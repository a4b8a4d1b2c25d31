/** Nobody mistypes a longer word, and the work grows with the square. */
const maxLength = 64;

/** The known word that was most likely meant, if one is near enough to be no guess. */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > maxLength) return undefined;
  let [nearest, least]: [string | undefined, number] = [
    undefined,
    Math.max(1, Math.floor(word.length / 3)) + 1,
  ];
  for (const candidate of known) {
    const steps = distance(word.toLowerCase(), candidate.toLowerCase());
    if (steps < least) [nearest, least] = [candidate, steps];
  }
  return nearest;
}

/** Insertions, deletions, replacements and swaps of neighbours that make one word of the other. */
function distance(a: string, b: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const turned = swapped ? (before[j - 2] ?? 0) + 1 : Infinity;
      row.push(Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replaced, turned));
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
