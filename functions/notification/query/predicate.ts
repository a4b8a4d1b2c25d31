import { RE2JS } from "re2js";

import type { AlertSummary } from "../alert-view.ts";
import type { DataKey, Order, QueryNode, Term } from "./ast.ts";
import { type Flag, type Key, searched } from "./keys.ts";
import { fits, foldCase } from "./pattern.ts";
import type { Query } from "./query.ts";
import type { CommonRegex } from "./regex/common.ts";

/**
 * Whether an alert is what a query asks for; `now` in epoch milliseconds. The same as `toCondition` says of
 * its row, but for terms about `data.…`, which hold of no summary (see `usesEventData`).
 */
export function matches(query: Query, alert: AlertSummary, now: number): boolean {
  return holds(query.node, alert, now);
}

function holds(node: QueryNode, alert: AlertSummary, now: number): boolean {
  switch (node.kind) {
    case "and":
      return node.nodes.every((each) => holds(each, alert, now));
    case "or":
      return node.nodes.some((each) => holds(each, alert, now));
    case "not":
      return !holds(node.node, alert, now);
    case "term":
      return holdsTerm(node.term, alert, now);
    default:
      return node satisfies never;
  }
}

function holdsTerm(term: Term, alert: AlertSummary, now: number): boolean {
  switch (term.kind) {
    case "text":
      return searched.some((field) => fits(term.pattern, foldCase(alert[field] ?? "")));
    case "match":
      return textsOf(term.key, alert).some((text) => term.patterns.some((pattern) => fits(pattern, text)));
    case "regex":
      return textsOf(term.key, alert).some((text) => compiledOf(term.regex).test(text));
    case "one-of":
      return term.values.includes(alert[term.key.field] ?? "");
    case "number":
      return term.values.includes(alert[term.key.field]);
    case "compare":
      return compares(term, alert);
    case "time":
      return happened(term, alert, now);
    case "has":
      return isThere(term.key, alert);
    case "is":
      return isFlagged(term.flag, alert, now);
    default:
      return term satisfies never;
  }
}

/** The texts of a key, folded; none when it has none. */
function textsOf(key: Key | DataKey, alert: AlertSummary): readonly string[] {
  if (key.kind === "data") return [];
  const value = alert[key.field];
  if (Array.isArray(value)) return value.map(foldCase);
  return typeof value === "string" ? [foldCase(value)] : [];
}

const compiled = new WeakMap<CommonRegex, RE2JS>();

/** Compiled once; finding takes time linear in the text. */
function compiledOf(regex: CommonRegex): RE2JS {
  const known = compiled.get(regex);
  if (known) return known;
  const made = RE2JS.compile(regex.re2);
  compiled.set(regex, made);
  return made;
}

function compares({ key, order, value }: Term & { readonly kind: "compare" }, alert: AlertSummary): boolean {
  if (key.kind === "data") return false;
  if (key.kind === "number") return orders[order](alert[key.field], value);
  // What is none of the values is taken for the least, as the database's rank does.
  return orders[order](Math.max(1, key.values.indexOf(alert[key.field] ?? "") + 1), value);
}

const orders: Readonly<Record<Order, (a: number, b: number) => boolean>> = {
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
};

function happened(
  { key, order, at }: Term & { readonly kind: "time" },
  alert: AlertSummary,
  now: number,
): boolean {
  const ms = Date.parse(alert[key.field]);
  return "instant" in at ? orders[order](ms, at.instant) : orders[order](now - ms, at.ago);
}

function isThere(key: Key | DataKey, alert: AlertSummary): boolean {
  if (key.kind === "data") return false;
  const value = alert[key.field];
  return Array.isArray(value) ? value.length > 0 : value !== null;
}

function isFlagged(flag: Flag, alert: AlertSummary, now: number): boolean {
  if (flag === "snoozed") return alert.snoozed_until !== null && Date.parse(alert.snoozed_until) > now;
  if (flag === "assigned") return alert.assignee !== null;
  if (flag === "unassigned") return alert.assignee === null;
  return alert.status === flag;
}
