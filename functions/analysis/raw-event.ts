import type { AuditRecorded } from "../../events/contracts/audit-recorded.ts";
import { maxDataDepth } from "../../events/json.ts";

/** How much of an event an alert carries; the whole event is in the ledger. */
const maxBytes = 65_536;
const maxFieldBytes = 2048;

/** The alert around it adds one level, and no receiver takes more than `maxDataDepth`. */
const maxDepth = maxDataDepth - 1;

/**
 * The data of an event as an alert carries it: verbatim up to 64 KiB of JSON and 63 levels, else those of
 * its fields that are short and flat enough, and `truncated: true`. Always an object.
 */
export function boundedData(data: AuditRecorded): Readonly<Record<string, unknown>> {
  if (sizeOf(data) <= maxBytes && !isDeeper(data, maxDepth)) return data;
  const kept: Record<string, unknown> = { truncated: true };
  let bytes = 0;
  for (const [name, value] of Object.entries(data)) {
    const size = sizeOf({ [name]: value });
    if (size > maxFieldBytes || bytes + size > maxBytes - maxFieldBytes) continue;
    if (isDeeper(value, maxDepth - 1)) continue;
    // Defined, not assigned: `__proto__` is a name like any other.
    Object.defineProperty(kept, name, { value, enumerable: true, configurable: true, writable: true });
    bytes += size;
  }
  return kept;
}

function sizeOf(value: object): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** Whether objects and arrays are nested in the value beyond so many levels. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1));
}
