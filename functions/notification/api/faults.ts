import { z } from "zod";

import type { RequestFault } from "./problems.ts";
import { suggest } from "../query/suggest.ts";

type Issue = z.core.$ZodIssue;

/** Where in a request a value was. */
export type Part = "path" | "query" | "header" | "body";

/** What zod found wrong with a part of a request, as faults that name the place, the value and what is allowed. */
export function toFaults(issues: readonly Issue[], part: Part, schema: z.ZodType): readonly RequestFault[] {
  return issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => unknown(key, issue, { part, schema }));
    return [{ ...placeOf(issue.path, part), ...describe(issue) }];
  });
}

interface Place {
  readonly part: Part;
  readonly schema: z.ZodType;
}

function unknown(key: string, { path }: Issue, { part, schema }: Place): RequestFault {
  const known = namesAt(schema, path);
  const meant = suggest(key, known);
  const hint = meant === undefined ? `: expected ${list(known)}` : `: did you mean "${meant}"?`;
  const detail = `${show(key)} is not known here${meant === undefined && known.length === 0 ? "." : hint}`;
  return { ...placeOf([...path, key], part), detail: end(detail), code: "unknown" };
}

function placeOf(
  path: readonly PropertyKey[],
  part: Part,
): Pick<RequestFault, "pointer" | "parameter" | "header"> {
  if (part === "body") return { pointer: path.map((step) => `/${escape(String(step))}`).join("") };
  const name = String(path[0] ?? "");
  return part === "header" ? { header: name } : { parameter: name };
}

/** A segment of a JSON Pointer (RFC 6901). */
function escape(step: string): string {
  return step.slice(0, 200).toWellFormed().replaceAll("~", "~0").replaceAll("/", "~1");
}

function describe(issue: Issue): Pick<RequestFault, "detail" | "code"> {
  if (issue.input === undefined && isAbsence(issue)) {
    return { detail: end(`It is required and missing: expected ${expectation(issue)}`), code: "missing" };
  }
  const value = show(issue.input);
  // Kinds of issues that no schema here can have are told in zod's own words.
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check
  switch (issue.code) {
    case "invalid_type":
      return { detail: end(`${value} is not allowed: expected ${expectation(issue)}`), code: "type" };
    case "invalid_value":
    case "invalid_union":
      return { detail: end(`${value} is not allowed: expected ${expectation(issue)}`), code: "value" };
    case "too_small":
    case "too_big":
      return { detail: end(`${value} is not allowed: expected ${expectation(issue)}`), code: "range" };
    case "invalid_format":
      return { detail: end(`${value} is not allowed: expected ${expectation(issue)}`), code: "format" };
    default:
      return { detail: end(`${value} is not allowed: ${issue.message}`), code: "value" };
  }
}

/** Whether a value that is not there can be what the issue is about. */
function isAbsence({ code }: Issue): boolean {
  return code === "invalid_type" || code === "invalid_value" || code === "invalid_union";
}

function expectation(issue: Issue): string {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- as above
  switch (issue.code) {
    case "invalid_type":
      return withArticle(issue.expected);
    case "invalid_value":
      return list(issue.values.map(String));
    case "invalid_union":
      return unionOf(issue);
    case "too_small":
      return `at least ${issue.minimum}${unitOf(issue.origin)}`;
    case "too_big":
      return `at most ${issue.maximum}${unitOf(issue.origin)}`;
    case "invalid_format":
      return formats[issue.format] ?? issue.message.replace(/^expected /, "");
    default:
      return issue.message;
  }
}

/** A discriminator tells its values; other unions what their first alternatives expect. */
function unionOf(issue: z.core.$ZodIssueInvalidUnion): string {
  const options = "options" in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
  if (options.length > 0) return list(options);
  const inner = issue.errors.flatMap((errors) => errors.slice(0, 1)).map(expectation);
  return inner.length > 0 ? [...new Set(inner)].join(", or ") : issue.message;
}

const formats: Readonly<Record<string, string>> = {
  uuid: "a UUID",
  guid: "a UUID",
  datetime: "a time such as 2026-11-21T12:00:00Z",
};

function withArticle(type: string): string {
  const name = type === "int" ? "integer" : type === "record" ? "object" : type;
  return /^[aeio]/.test(name) ? `an ${name}` : `a ${name}`;
}

function unitOf(origin: string): string {
  return origin === "string" ? " characters" : origin === "array" ? " items" : "";
}

function list(words: readonly string[]): string {
  if (words.length <= 1) return words[0] ?? "nothing";
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** A value as it may be repeated: short, on one line, well-formed. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return (text.length > 80 ? `${text.slice(0, 79)}…` : text).toWellFormed();
}

function end(sentence: string): string {
  return /[.?!]$/.test(sentence) ? sentence : `${sentence}.`;
}

/** The members that an object at this place of the schema may have. */
function namesAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion) {
    const names = inner.options.flatMap((option) =>
      option instanceof z.ZodType ? namesAt(option, path) : [],
    );
    return [...new Set(names)];
  }
  if (inner instanceof z.ZodArray)
    return inner.element instanceof z.ZodType ? namesAt(inner.element, path.slice(1)) : [];
  if (!(inner instanceof z.ZodObject)) return [];
  const [first, ...rest] = path;
  if (first === undefined) return Object.keys(inner.shape);
  const next: unknown = inner.shape[String(first)];
  return next instanceof z.ZodType ? namesAt(next, rest) : [];
}

function unwrap(schema: z.ZodType): z.ZodType {
  const inner =
    schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable
      ? schema.unwrap()
      : schema instanceof z.ZodPipe
        ? schema.in
        : undefined;
  return inner instanceof z.ZodType ? unwrap(inner) : schema;
}
