import type { Reference } from "./correlation-references.ts";
import { type Description, optionalText, parseDescription, requireEntry } from "./description.ts";
import { type Detection, parseDetection } from "./detection.ts";
import { entryOf, type MapNode, type Node } from "./document.ts";
import type { Expression } from "./expression.ts";
import { type Logsource, parseLogsource } from "./logsource.ts";
import { type Position, RuleError } from "./problem.ts";
import { extensionKey } from "./window-extension.ts";

/**
 * A Sigma filter: its condition is added to the rules' with AND, as it is written, so that an exception
 * says `condition: not selection` (as pySigma and RSigma read it).
 */
export interface ParsedFilter extends Description, Pick<Detection, "unused"> {
  /** `any` stands for every rule. */
  readonly rules: "any" | readonly Reference[];
  /** Rules that do not state all of this are left alone. */
  readonly logsource: Logsource;
  readonly detection: Expression;
  /** Epoch milliseconds from which the filter no longer applies. */
  readonly expiresAt?: number | undefined;
  /** Where the expiry stands. */
  readonly expiresAtPlace?: Position | undefined;
}

/** Parses one filter document (Sigma specification, filters); throws RuleError. */
export function parseFilter(document: MapNode, file: string): ParsedFilter {
  const description = parseDescription(document, file);
  const logsource = parseLogsource(requireEntry(document, "logsource").value);
  const { value } = requireEntry(document, "filter");
  if (value.kind !== "map") throw invalid("'filter' must be a map", value.at);
  const rules = parseRules(requireEntry(value, "rules").value);
  const { expression, unused } = parseDetection(value, ["rules"]);
  return {
    ...description,
    rules,
    logsource,
    detection: isolated(expression, description.id),
    unused,
    ...parseExtension(document),
  };
}

function parseRules(node: Node): "any" | readonly Reference[] {
  const nodes = node.kind === "list" ? node.items : [node];
  const names = nodes.flatMap((item) =>
    item.kind === "scalar" && typeof item.value === "string" ? [{ name: item.value, at: item.at }] : [],
  );
  if (names.length === 0 || names.length < nodes.length)
    throw invalid("'rules' must be 'any', or name rules by id or name", node.at);
  return names.some(({ name }) => name === "any") ? "any" : names;
}

/** Both sides like to call their identifiers `selection`: explained, they must not be mistaken. */
function isolated(expression: Expression, id: string): Expression {
  switch (expression.kind) {
    case "and":
    case "or":
      return { kind: expression.kind, of: expression.of.map((part) => isolated(part, id)) };
    case "not":
      return { kind: "not", of: isolated(expression.of, id) };
    case "named":
      return { kind: "named", name: `${id}/${expression.name}`, of: expression.of };
    case "field":
    case "null":
    case "exists":
    case "keywords":
      return expression;
    default:
      return expression satisfies never;
  }
}

/** `auditflow: {owner, reason, expires}`: who wants the exception, why, and until when. */
function parseExtension(document: MapNode): Pick<ParsedFilter, "expiresAt" | "expiresAtPlace"> {
  const extension = entryOf(document, extensionKey)?.value;
  if (extension?.kind !== "map") return {};
  for (const key of ["owner", "reason"]) optionalText(extension, key);
  const text = optionalText(extension, "expires");
  const at = entryOf(extension, "expires")?.value.at;
  if (text === undefined || !at) return {};
  const expiresAt = isRfc3339.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(expiresAt) && isRealDate(text)) return { expiresAt, expiresAtPlace: at };
  throw invalid(`'expires' is '${text}'; expected a date such as 2026-12-31 or 2026-12-31T18:00:00Z`, at);
}

/** A full date (its first moment in UTC), or a date-time with its offset (RFC 3339, section 5.6). */
const isRfc3339 = /^\d{4}-\d{2}-\d{2}(?:[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2}))?$/;

/** `Date` takes the 30th of February for the 2nd of March. */
function isRealDate(text: string): boolean {
  const date = text.slice(0, 10);
  return new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);
}

function invalid(message: string, at: Position): RuleError {
  return new RuleError("FILTER_INVALID", `${message}.`, at);
}
