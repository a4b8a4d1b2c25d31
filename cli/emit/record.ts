/** The kinds of record `auditflow emit` recognises by their shape, and where each is POSTed. */
export const recordKinds = [
  "event",
  "cloudevent",
  "kubernetes",
  "github",
  "cloudtrail",
  "okta",
  "gcp",
  "azure-activity",
  "falco",
  "sshd",
  "web-access",
] as const;
export type RecordKind = (typeof recordKinds)[number];

/** One line of input: the JSON value it holds, or plain text for log lines. */
export interface InputRecord {
  /** Counted from 1, for messages. */
  readonly line: number;
  readonly kind: RecordKind;
  readonly value: unknown;
}

/** A line that is no record at all. */
export interface BadLine {
  readonly line: number;
  readonly reason: string;
}

/** Lines of text that cannot be mistaken: sshd's log behind a tag, and a request in an access log. */
const logLines = [
  ["sshd", /\bsshd(?:-session|-auth)?\[\d+\]: /],
  ["web-access", /\[\d{2}\/[A-Z][a-z]{2}\/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4}\] "/],
] as const;

/**
 * Recognises a line. `as` overrides the guess; without it other text that is not JSON is refused, because a
 * mistyped file should not be sent somewhere as log lines.
 */
export function parseLine(text: string, line: number, as?: RecordKind): InputRecord | BadLine {
  const log = logLines.find(([kind, form]) =>
    as === undefined ? !/^\s*[{[]/.test(text) && form.test(text) : kind === as,
  );
  if (log) return { line, kind: log[0], value: text };
  try {
    const value: unknown = JSON.parse(text);
    return { line, kind: as ?? kindOf(value), value };
  } catch (error) {
    return { line, reason: error instanceof Error ? error.message : "not JSON" };
  }
}

function kindOf(value: unknown): RecordKind {
  const has = (...names: readonly string[]) =>
    typeof value === "object" && value !== null && names.every((name) => Object.hasOwn(value, name));
  if (has("specversion")) return "cloudevent";
  if (has("event_type")) return "event";
  if (has("auditID", "verb") || (has("kind", "items") && has("apiVersion"))) return "kubernetes";
  if (has("eventVersion", "eventSource", "eventName")) return "cloudtrail";
  if (has("action")) return "github";
  return "event";
}
