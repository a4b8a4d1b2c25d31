import type { CorrelationWindow } from "./correlation.ts";
import { entryOf, type MapNode } from "./document.ts";
import { type Position, RuleError } from "./problem.ts";
import { parseTimespan } from "./timespan.ts";

/** The top-level key of what AuditFlow adds to Sigma. */
export const extensionKey = "auditflow";
const kinds = ["sliding", "tumbling", "session"] as const;

export interface WindowContext {
  readonly timespanMs: number;
  /** The correlation waits for silence, which has no slots and no gaps. */
  readonly isSilence: boolean;
}

/** Reads `auditflow: {window: {type, gap}}` of a correlation document; sliding when there is none. */
export function parseWindow(document: MapNode, { timespanMs, isSilence }: WindowContext): CorrelationWindow {
  const extension = entryOf(document, extensionKey)?.value;
  const entry = extension?.kind === "map" ? entryOf(extension, "window") : undefined;
  if (!entry) return { kind: "sliding" };
  const { value } = entry;
  const other = value.kind === "map" && value.entries.find(({ key }) => key !== "type" && key !== "gap");
  if (value.kind !== "map" || other)
    throw invalid("'window' wants a map of type and gap", other ? other.keyAt : value.at);
  const kind = kindOf(value);
  if (isSilence && kind !== "sliding")
    throw invalid("Silence can only be waited for in a sliding window", value.at);
  const gap = entryOf(value, "gap");
  if (kind !== "session") {
    if (gap) throw invalid(`'gap' is for session windows, not for ${kind} ones`, gap.keyAt);
    return { kind };
  }
  if (!gap) throw invalid("A session window wants a 'gap' such as 5m", value.at);
  const gapMs = parseTimespan(gap);
  if (gapMs < timespanMs) return { kind, gapMs };
  throw invalid("The gap must be shorter than the timespan", gap.value.at);
}

function kindOf(window: MapNode): (typeof kinds)[number] {
  const value = entryOf(window, "type")?.value;
  const written = value?.kind === "scalar" ? value.value : undefined;
  const kind = kinds.find((name) => name === written);
  if (kind) return kind;
  throw invalid(
    `'type' of a window is one of ${kinds.join(", ")}, not '${String(written)}'`,
    value?.at ?? window.at,
  );
}

/** Custom data without keys of the extension that the language has read itself. */
export function withoutKeys(
  custom: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): Readonly<Record<string, unknown>> {
  const extension = custom[extensionKey];
  if (typeof extension !== "object" || extension === null || Array.isArray(extension)) return custom;
  const rest = Object.entries(extension).filter(([key]) => !keys.includes(key));
  return { ...custom, [extensionKey]: Object.fromEntries(rest) };
}

function invalid(message: string, at: Position): RuleError {
  return new RuleError("CORRELATION_INVALID", `${message}.`, at);
}
