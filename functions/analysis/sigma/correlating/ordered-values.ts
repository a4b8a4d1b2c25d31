/** Numbers in ascending order, of which any may be taken out again. */
export interface OrderedValues {
  readonly size: number;
  add(value: number): void;
  /** Takes out one number that was added. */
  remove(value: number): void;
  /** The k-th smallest, counting from 1. */
  at(rank: number): number;
}

/** A full chunk is cut in two: short enough to shift cheaply, long enough to keep few of them. */
const chunkSize = 512;

/** A list of short sorted lists: adding and removing touch one of them, not a hundred thousand numbers. */
export function createOrderedValues(): OrderedValues {
  let chunks: number[][] = [];
  let size = 0;

  /** The first chunk whose last number is not below the value, or the last one. */
  function chunkFor(value: number): number {
    const index = lowerBound(chunks.length, (i) => (chunks[i]?.at(-1) ?? 0) < value);
    return Math.min(index, chunks.length - 1);
  }

  return {
    get size() {
      return size;
    },
    add(value) {
      size += 1;
      const index = chunkFor(value);
      const chunk = chunks[index];
      if (!chunk) {
        chunks = [[value]];
        return;
      }
      chunk.splice(placeIn(chunk, value), 0, value);
      if (chunk.length > chunkSize) chunks.splice(index + 1, 0, chunk.splice(chunkSize / 2));
    },
    remove(value) {
      const index = chunkFor(value);
      const chunk = chunks[index];
      const place = chunk ? placeIn(chunk, value) : 0;
      if (chunk?.[place] !== value) return;
      chunk.splice(place, 1);
      size -= 1;
      if (chunk.length === 0) chunks.splice(index, 1);
    },
    at(rank) {
      let before = 0;
      for (const chunk of chunks) {
        if (rank <= before + chunk.length) return chunk[rank - before - 1] ?? Number.NaN;
        before += chunk.length;
      }
      return Number.NaN;
    },
  };
}

function placeIn(chunk: readonly number[], value: number): number {
  return lowerBound(chunk.length, (i) => (chunk[i] ?? 0) < value);
}

/** The first index from 0 to `length` that is not before. */
function lowerBound(length: number, isBefore: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
