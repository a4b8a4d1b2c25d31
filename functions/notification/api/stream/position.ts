import type { Cursor } from "./cursor.ts";
import type { ChangesReader, Told } from "./feed.ts";

/** How far changes have been told, and what moves that on; one thing happens at a time. */
export interface Position {
  /** Up to where all members have been told; `undefined` before the first look. */
  seen(): Cursor | undefined;
  /** Tells what changed since the last look; answers whether anything did, and where it stands now. */
  look(): Promise<{ readonly cursor: Cursor; readonly changed: boolean }>;
  /** Runs work while nobody looks. */
  undisturbed<T>(work: () => Promise<T>): Promise<T>;
  /** When the last look began, by `performance.now()`. */
  lookedMs(): number;
}

export function createPosition(reader: ChangesReader, tell: (told: Told) => void): Position {
  let last: Promise<unknown> = Promise.resolve();
  let seen: Cursor | undefined;
  let lookedMs = 0;

  async function look() {
    lookedMs = performance.now();
    const since = (seen ??= await reader.current());
    let page = await reader.read({ since });
    const cursor = page.seen;
    const changed = page.changes.length > 0;
    // Later pages show what the first one could see; what changed since comes with the next look.
    while (page.next !== undefined) {
      tell({ changes: page.changes, cursor: undefined });
      page = await reader.read({ since, until: cursor, after: page.next });
    }
    seen = cursor;
    if (changed) tell({ changes: page.changes, cursor });
    return { cursor, changed };
  }

  function undisturbed<T>(work: () => Promise<T>): Promise<T> {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  }

  return { seen: () => seen, look: () => undisturbed(look), undisturbed, lookedMs: () => lookedMs };
}
