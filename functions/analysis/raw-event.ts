import type { AuditRecorded } from "../../events/contracts/audit-recorded.ts";

/** How much of an event an alert carries; the whole event is in the ledger. */
const maxBytes = 65_536;
const maxFieldBytes = 2048;

/**
 * The data of an event as an alert carries it: verbatim up to 64 KiB of JSON, else those of its fields
 * that are short, and `truncated: true`. Always an object.
 */
export function boundedData(data: AuditRecorded): Readonly<Record<string, unknown>> {
  if (sizeOf(data) <= maxBytes) return data;
  const kept: Record<string, unknown> = { truncated: true };
  let bytes = 0;
  for (const [name, value] of Object.entries(data)) {
    const size = sizeOf({ [name]: value });
    if (size > maxFieldBytes || bytes + size > maxBytes - maxFieldBytes) continue;
    // Defined, not assigned: `__proto__` is a name like any other.
    Object.defineProperty(kept, name, { value, enumerable: true, configurable: true, writable: true });
    bytes += size;
  }
  return kept;
}

function sizeOf(value: object): number {
  return Buffer.byteLength(JSON.stringify(value));
}
