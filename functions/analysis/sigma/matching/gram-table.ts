/**
 * Finds which of many texts may stand at a place by four characters there (a gram) instead of by all of
 * them. A gram is coarse: the low bytes of four code units with the bit set that tells `A` from `a`, so
 * it never differs between texts that are equal once folded.
 */
export interface GramTable {
  /** A bit for every gram, by hash: a clear one says that no text is filed under it. */
  readonly bits: Int32Array;
  readonly shift: number;
  /** The range in `items` of what is filed under a gram; an empty range for nothing. */
  readonly grams: Int32Array;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly items: Int32Array;
}

export const gramLength = 4;
const multiplier = 0x9e3779b1 | 0;

/** The hash of a gram, in as many bits as `shift` leaves of 32. */
export function hashOf(gram: number, shift: number): number {
  return Math.imul(gram, multiplier) >>> shift;
}

/** The gram that begins at an index of a text. */
export function gramAt(text: string, index: number): number {
  return (
    (coarse(text.charCodeAt(index)) << 24) |
    (coarse(text.charCodeAt(index + 1)) << 16) |
    (coarse(text.charCodeAt(index + 2)) << 8) |
    coarse(text.charCodeAt(index + 3))
  );
}

export function coarse(code: number): number {
  return (code | 0x20) & 0xff;
}

/** Files items under grams. */
export function createGramTable(entries: readonly (readonly [gram: number, item: number])[]): GramTable {
  const byGram = Map.groupBy(entries, ([gram]) => gram);
  // Sixteen times as many bits as grams; 16 KiB at most, which stay in the first cache.
  const bitsLog = Math.min(17, Math.max(8, Math.ceil(Math.log2(byGram.size * 16 + 1))));
  const slotsLog = Math.max(3, Math.ceil(Math.log2(byGram.size * 4 + 1)));
  const table = {
    bits: new Int32Array(2 ** bitsLog / 32),
    shift: 32 - bitsLog,
    grams: new Int32Array(2 ** slotsLog),
    from: new Int32Array(2 ** slotsLog),
    to: new Int32Array(2 ** slotsLog),
    items: new Int32Array(entries.length),
  };
  let end = 0;
  for (const [gram, filed] of byGram) {
    const bit = hashOf(gram, table.shift);
    table.bits[bit >> 5] = (table.bits[bit >> 5] ?? 0) | (1 << (bit & 31));
    let slot = hashOf(gram, 32 - slotsLog);
    while (table.to[slot] !== 0) slot = (slot + 1) & (table.to.length - 1);
    table.grams[slot] = gram;
    table.from[slot] = end;
    for (const [, item] of filed) table.items[end++] = item;
    table.to[slot] = end;
  }
  return table;
}

/** The slot of a gram, or -1. */
export function slotOf({ grams, to }: GramTable, gram: number): number {
  const mask = grams.length - 1;
  let slot = hashOf(gram, Math.clz32(mask));
  while (to[slot] !== 0) {
    if (grams[slot] === gram) return slot;
    slot = (slot + 1) & mask;
  }
  return -1;
}

/** Where in which text a gram begins. */
export interface Anchor<Text> {
  readonly entry: Text;
  readonly offset: number;
}

/** Of each text so many grams in a row: those that are rarest among all the texts. */
export function rarestGrams<Text extends { readonly literal: string }>(
  entries: readonly Text[],
  inRow: number,
): readonly Anchor<Text>[] {
  const counts = new Map<number, number>();
  const gramsOf = ({ literal }: Text) =>
    Array.from({ length: literal.length - gramLength + 1 }, (_, i) => gramAt(literal, i));
  for (const gram of entries.flatMap(gramsOf)) counts.set(gram, (counts.get(gram) ?? 0) + 1);
  return entries.flatMap((entry) => {
    const found = gramsOf(entry).map((gram) => counts.get(gram) ?? 0);
    const sums = Array.from({ length: found.length - inRow + 1 }, (_, from) =>
      found.slice(from, from + inRow).reduce((sum, count) => sum + count, 0),
    );
    const first = sums.indexOf(Math.min(...sums));
    return Array.from({ length: inRow }, (_, i) => ({ entry, offset: first + i }));
  });
}
