/**
 * Where a reader of changes stands: a snapshot of PostgreSQL, `xmin:xmax:xip`, which says of every
 * transaction whether its changes were seen. A number alone could not: transactions do not commit in the
 * order in which they began.
 */
export type Cursor = string;

const form = /^(\d{1,19}):(\d{1,19}):((?:\d{1,19}(?:,\d{1,19}){0,999})?)$/;
const most = 9_223_372_036_854_775_807n;

/** A cursor of ours as it stands in `Last-Event-ID`; `undefined` for anything else. */
export function parseCursor(text: string): Cursor | undefined {
  // What streams of an earlier version called a cursor: everything before this transaction was seen.
  if (/^\d{1,19}$/.test(text)) return parseCursor(`${text}:${text}:`);
  const [, low = "", high = "", list = ""] = form.exec(text) ?? [];
  if (low === "") return undefined;
  const running = list === "" ? [] : list.split(",").map(BigInt);
  // PostgreSQL refuses what is out of order.
  const all = [BigInt(low), ...running, BigInt(high)];
  const isOrdered = running.every((id, index) => index === 0 || id > (running[index - 1] ?? 0n));
  const isWithin = running.every((id) => id >= BigInt(low) && id < BigInt(high));
  const isSnapshot = BigInt(low) > 0n && BigInt(low) <= BigInt(high);
  return isSnapshot && isOrdered && isWithin && all.every((id) => id <= most) ? text : undefined;
}

/** Whether a cursor speaks of transactions that have not begun at another: it is of another database. */
export function isBeyond(cursor: Cursor, now: Cursor): boolean {
  return lastOf(cursor) > lastOf(now);
}

function lastOf(cursor: Cursor): bigint {
  return BigInt(cursor.split(":")[1] ?? "0");
}
