import { z } from "zod";

import type { ConfigProblem } from "./config.ts";

type Issue = z.core.$ZodIssue;
type Values = Readonly<Record<string, string | undefined>>;
type Shape = Readonly<Record<string, z.ZodType>>;

/** What a setting may tell about itself with `.meta()`. */
const settingMeta = z.object({ example: z.string().optional(), hint: z.string().optional() });

/** Says what is wrong with a setting: the value, what is allowed, an example, what to do. */
export function describeIssue(issue: Issue, values: Values, shape: Shape): ConfigProblem {
  const name = String(issue.path[0] ?? "settings");
  const { example, hint } = metaOf(shape[name]);
  const value = values[name];
  const wrong = value === undefined ? missing(issue) : `${show(name, value)} ${fault(issue)}`;
  return {
    name,
    detail: `${wrong}.${example === undefined ? "" : ` Example: ${example}`}`,
    ...(hint === undefined ? {} : { hint }),
  };
}

function missing(issue: Issue): string {
  return issue.code === "invalid_type" || issue.code === "invalid_value"
    ? "is required and not set"
    : lowerFirst(issue.message);
}

function fault(issue: Issue): string {
  // Kinds of issues no setting of ours can have are told in zod's own words.
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check
  switch (issue.code) {
    case "invalid_value":
      return `is not one of ${issue.values.map(String).join("|")}`;
    case "invalid_type":
      return `is not ${/^[aeiou]/.test(issue.expected) ? "an" : "a"} ${issue.expected}`;
    case "too_small":
      return `is too small: at least ${issue.minimum}`;
    case "too_big":
      return `is too large: at most ${issue.maximum}`;
    case "invalid_format":
      return issue.message.startsWith("Invalid ")
        ? `is not a valid ${issue.format === "url" ? "URL here" : issue.format}`
        : issue.message;
    default:
      return `is refused: ${lowerFirst(issue.message)}`;
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** The value as it may be printed: short, and without anything that is or holds a secret. */
function show(name: string, value: string): string {
  if (/PASS|SECRET|TOKEN|KEY|CREDENTIAL/i.test(name)) return "(its value is not shown)";
  const open = value.replace(/:\/\/([^/@\s]*?):[^/\s]*@/, "://$1:***@");
  return JSON.stringify(open.length > 80 ? `${open.slice(0, 79)}…` : open);
}

/** What a field says about itself, also when a default or an `optional` is wrapped around it. */
function metaOf(field: z.ZodType | undefined): z.infer<typeof settingMeta> {
  if (field === undefined) return {};
  const own = settingMeta.safeParse(field.meta() ?? {});
  if (own.success && (own.data.example ?? own.data.hint) !== undefined) return own.data;
  const inner =
    field instanceof z.ZodOptional || field instanceof z.ZodDefault || field instanceof z.ZodPrefault
      ? field.unwrap()
      : field instanceof z.ZodPipe
        ? field.in
        : undefined;
  return inner instanceof z.ZodType ? metaOf(inner) : {};
}
