import type { Cursor } from "./cursor.ts";
import type { ChangesReader, Member } from "./feed.ts";
import type { Position } from "./position.ts";
import type { ChangesRange } from "./read-changes.ts";

/** What changes while a member catches up is read in further rounds, before the others are made to wait. */
const rounds = 10;

export interface CatchUp {
  readonly reader: ChangesReader;
  readonly position: Position;
  readonly member: Member;
  /** Makes the member one of those who are told of changes. */
  readonly enter: () => void;
}

/**
 * Tells a member what it missed, at its own pace, until it stands about where all others do; then the rest,
 * while nobody looks, and lets it in. So it is told of every change once.
 */
export async function catchUp({ reader, position, member, enter }: CatchUp, since: Cursor): Promise<void> {
  let told = since;
  for (let round = 0; round < rounds; round += 1) {
    const until = position.seen() ?? told;
    if (until === told) break;
    await tellRange({ since: told, until }, () => member.ready());
    told = until;
  }
  await position.undisturbed(async () => {
    const until = position.seen() ?? told;
    if (until !== told) await tellRange({ since: told, until }, async () => undefined);
    enter();
  });

  async function tellRange(range: ChangesRange, rest: () => Promise<void>): Promise<void> {
    let after: string | undefined;
    do {
      const page = await reader.read({ ...range, after });
      after = page.next;
      const cursor = after === undefined ? range.until : undefined;
      member.told({ changes: page.changes, cursor });
      await rest();
    } while (after !== undefined);
  }
}
