import { z } from "zod";

import { auditRecorded, type AuditRecorded } from "../../../events/contracts/audit-recorded.ts";
import { type MapNode, type Node, parseDocuments, toPlain } from "../sigma/language/document.ts";
import { type Position, RuleError } from "../sigma/language/problem.ts";
import type { RuleDocument } from "../sigma/compile.ts";
import { parseDuration } from "./duration.ts";

/** One expectation of the rules of one file: what happens, and the alerts it makes. */
export interface Case extends Position {
  readonly title: string;
  readonly events: readonly TimedEvent[];
  readonly expected: readonly ExpectedAlert[];
}

export interface TimedEvent {
  /** Milliseconds after the beginning of the case. */
  readonly time: number;
  readonly data: AuditRecorded;
}

export type ExpectedAlert = z.infer<typeof expectedAlert>;

const duration = z.string().transform((text, context) => {
  const milliseconds = parseDuration(text);
  if (milliseconds !== undefined) return milliseconds;
  context.addIssue({ code: "custom", message: `'${text}' is no duration such as 10s, 5m or 2h` });
  return z.NEVER;
});

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const expectedAlert = z.strictObject({
  /** The rule's `auditflow.rule_id`, else its `id` or `name`. */
  rule: scalar,
  count: z.int().positive().optional(),
  group: z.record(z.string(), scalar).optional(),
});

/** `at`, and the audit event's own fields beside it; `repeat` makes several, `every` apart. */
const timedEvent = z
  .looseObject({
    at: duration,
    repeat: z.int().positive().max(100_000).default(1),
    every: duration.default(1000),
  })
  .transform(({ at, repeat, every, ...data }) => ({ at, repeat, every, data }));

const caseSchema = z.strictObject({
  case: z.string().min(1),
  events: z.array(timedEvent).min(1),
  expect: z.array(expectedAlert),
});

/** Fields that stand under every event of the file that does not state them; `details` are merged. */
const defaultsSchema = z.looseObject({ details: z.record(z.string(), z.unknown()).optional() });
type Defaults = z.infer<typeof defaultsSchema>;

/** Parses a file of cases: a list of them, or a map of `defaults` and `cases`. Throws RuleError. */
export function parseCases({ text }: RuleDocument): readonly Case[] {
  const [root] = parseDocuments(text);
  if (root instanceof RuleError) throw refuse(root.message, root.at);
  if (!root || root.kind === "scalar") throw refuse("A list of cases is expected.", root?.at);
  const list = root.kind === "list" ? root : valueOf(root, "cases");
  if (list?.kind !== "list" || list.items.length === 0)
    throw refuse("'cases' must be a list of cases.", root.at);
  const defaultsNode = root.kind === "map" ? valueOf(root, "defaults") : undefined;
  const defaults = defaultsNode ? check(defaultsSchema, defaultsNode) : {};
  return list.items.map((node) => parseCase(node, defaults));
}

function parseCase(node: Node, defaults: Defaults): Case {
  const { case: title, events, expect } = check(caseSchema, node);
  const timed = events.flatMap(({ at, repeat, every, data }) => {
    const merged = { ...defaults, ...data, ...mergedDetails(defaults, data) };
    const parsed = auditRecorded.data.safeParse(merged);
    if (!parsed.success) throw refuse(`'${title}': ${describe(parsed.error)}`, node.at);
    return Array.from({ length: repeat }, (_, index) => ({ time: at + index * every, data: parsed.data }));
  });
  return { ...node.at, title, events: timed, expected: expect };
}

function mergedDetails({ details }: Defaults, data: Readonly<Record<string, unknown>>): object {
  const own = data["details"];
  return details && typeof own === "object" ? { details: { ...details, ...own } } : {};
}

function valueOf(map: MapNode, key: string): Node | undefined {
  return map.entries.find((entry) => entry.key === key)?.value;
}

function check<Schema extends z.ZodType>(schema: Schema, node: Node): z.infer<Schema> {
  const parsed = schema.safeParse(toPlain(node));
  if (parsed.success) return parsed.data;
  throw refuse(describe(parsed.error), node.at);
}

function describe(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join(".") || "here"}: ${message}`).join("; ");
}

function refuse(message: string, at: Position = { line: 1, column: 1 }): RuleError {
  return new RuleError("RULE_CASES_INVALID", message, at);
}
