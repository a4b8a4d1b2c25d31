import type { z } from "zod";

import { type Finding, pathText, type PathPart, quote } from "./problem.ts";
import { alertFields } from "../routes.ts";
import { knownKeys } from "./schema.ts";

/** What a schema found wrong with a value, as people are told of it: every unknown key by itself. */
export function toFindings(error: z.ZodError, value: unknown): readonly Finding[] {
  return error.issues.flatMap((issue) => toFinding(issue, value));
}

function toFinding(issue: z.core.$ZodIssue, value: unknown): readonly Finding[] {
  const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
  if (issue.code === "unrecognized_keys") {
    const allowed = allowedKeys(path);
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `The key ${quote(key)} is unknown.`,
      allowed,
      atKey: true,
    }));
  }
  const given = valueAt(value, path);
  if (given === undefined)
    return [{ path, message: `${subject(path)} is missing.`, allowed: expectedOf(issue) }];
  const name = issue.code === "invalid_key" ? path.at(-1) : given;
  return [
    {
      path,
      message: `${subject(path)}: ${quote(name)} ${reasonOf(issue)}`.replace(/([^.?])$/, "$1."),
      allowed: issue.code === "invalid_key" ? names : expectedOf(issue),
      ...(issue.code === "invalid_key" && { atKey: true }),
      ...offsetOf(issue),
    },
  ];
}

const names = "a name of letters, digits and . _ : - that begins with a letter or a digit";

function subject(path: readonly PathPart[]): string {
  return pathText(path) || "The file";
}

function reasonOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "custom") return issue.message.replace(/\.$/, "");
  return reasons.get(issue.code ?? "") ?? issue.message;
}

const reasons: ReadonlyMap<string, string> = new Map([
  ["invalid_type", "is not what belongs there"],
  ["invalid_value", "is not possible"],
  ["invalid_key", "is no name"],
  ["too_small", "is too small or too short"],
]);

function expectedOf(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code === "custom") {
    const allowed: unknown = issue.params?.["allowed"];
    return typeof allowed === "string" ? allowed : undefined;
  }
  if (issue.code === "invalid_type") return kindOf.get(issue.expected) ?? issue.expected;
  if (issue.code === "invalid_value") return issue.values.map(String).join(", ");
  if (issue.code === "invalid_format") return names;
  if (issue.code === "invalid_union") return `a list of ${alertFields.join(", ")}, or ['...'] alone`;
  return issue.code === "too_small" ? `${issue.minimum} or more` : undefined;
}

const kindOf: ReadonlyMap<string, string> = new Map([
  ["string", "a text"],
  ["array", "a list"],
  ["object", "a map"],
  ["record", "a map"],
  ["boolean", "true or false"],
]);

function offsetOf(issue: z.core.$ZodIssue): { readonly offset?: number } {
  const offset: unknown = issue.code === "custom" ? issue.params?.["offset"] : undefined;
  return typeof offset === "number" ? { offset } : {};
}

function allowedKeys(path: readonly PathPart[]): string {
  const parents = path.filter((part) => typeof part === "string");
  const last = parents.at(-1);
  if (last === undefined) return knownKeys.file.join(", ");
  if (parents[0] === "channels") return knownKeys.channels.join(", ");
  if (parents[0] === "mute_times") return knownKeys.mute_times.join(", ");
  if (last === "inhibit" || last === "escalate" || last === "digest") return knownKeys[last].join(", ");
  return knownKeys.route.join(", ");
}

/** What stands at a path of plain data. */
export function valueAt(value: unknown, path: readonly PathPart[]): unknown {
  let found = value;
  for (const part of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = Object.entries(found).find(([key]) => key === String(part))?.[1];
  }
  return found;
}
