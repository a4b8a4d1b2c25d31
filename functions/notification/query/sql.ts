import type postgres from "postgres";

import type { DataKey, Order, QueryNode, Term } from "./ast.ts";
import { type Flag, type IdKey, type Key, type ListKey, searched, type TextKey } from "./keys.ts";
import { type Pattern, toLike } from "./pattern.ts";
import type { Query } from "./query.ts";
import { dataCompares, dataMatches, dataMatchesRegex, hasData } from "./sql-data.ts";
import { type Fragment, instant, joined, listed, ordered } from "./sql-parts.ts";

interface Context {
  readonly sql: postgres.ISql;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * A query as a condition on the alias `episode` of the table of that name; `now` in epoch milliseconds.
 * Null counts as false, as it does in WHERE; what is negated is never null. Values are parameters, always:
 * no text of the query becomes text of the statement.
 */
export function toCondition(sql: postgres.ISql, query: Query, now: number): Fragment {
  return ofNode({ sql, now }, query.node);
}

function ofNode(context: Context, node: QueryNode): Fragment {
  const { sql } = context;
  switch (node.kind) {
    case "and":
    case "or":
      return joined(
        sql,
        node.nodes.map((each) => ofNode(context, each)),
        node.kind,
      );
    case "not":
      return sql`(${ofNode(context, node.node)}) is not true`;
    case "term":
      return sql`(${ofTerm(context, node.term)})`;
    default:
      return node satisfies never;
  }
}

function ofTerm({ sql, now }: Context, term: Term): Fragment {
  switch (term.kind) {
    case "text":
      return contains(sql, term.pattern);
    case "match":
      return term.key.kind === "data"
        ? dataMatches(sql, term.key, term.patterns)
        : isMatch(sql, term.key, term.patterns);
    case "regex":
      if (term.key.kind === "data") return dataMatchesRegex(sql, term.key, term.regex);
      return ofText(sql, term.key, (text) => sql`${text} ~ ${term.regex.postgres}`);
    case "one-of":
      return sql`${column(sql, term.key.column)} in (${listed(sql, term.values)})`;
    case "number":
      return sql`${column(sql, term.key.column)} = any(${`{${term.values.join(",")}}`}::text::bigint[])`;
    case "compare":
      return compares(sql, term);
    case "time":
      return happened({ sql, now }, term);
    case "has":
      return isThere(sql, term.key);
    case "is":
      return isFlagged({ sql, now }, term.flag);
    default:
      return term satisfies never;
  }
}

/** A name out of the table of keys. */
function column(sql: postgres.ISql, name: string): Fragment {
  return sql`${sql(`episode.${name}`)}`;
}

/** As the indexes have it: only A to Z are made small. */
function folded(sql: postgres.ISql, text: Fragment): Fragment {
  return sql`lower(${text} collate "C")`;
}

function contains(sql: postgres.ISql, pattern: Pattern): Fragment {
  const like = toLike(pattern);
  const each = searched.map((name) => sql`${folded(sql, column(sql, name))} like ${like}`);
  return joined(sql, each, "or");
}

type Written = TextKey | IdKey | ListKey;

/** A condition on the folded text of a key, or on any of a list's. */
function ofText(sql: postgres.ISql, key: Written, condition: (text: Fragment) => Fragment): Fragment {
  const value = column(sql, key.column);
  if (key.kind === "text") {
    return condition(folded(sql, key.column === "client_ip" ? sql`host(${value})` : value));
  }
  // A UUID is told in small letters.
  if (key.kind === "id") return condition(sql`(${value}::text collate "C")`);
  return sql`exists (select from unnest(${value}) as item where ${condition(folded(sql, sql`item`))})`;
}

function isMatch(sql: postgres.ISql, key: Written, patterns: readonly Pattern[]): Fragment {
  const whole = patterns.filter(({ length }) => length === 1).map(([text = ""]) => text);
  const partial = patterns.filter(({ length }) => length > 1).map(toLike);
  const conditions = partial.map((like) => ofText(sql, key, (text) => sql`${text} like ${like}`));
  if (whole.length > 0) conditions.unshift(isOneOf(sql, key, whole));
  return joined(sql, conditions, "or");
}

/** A single value is compared by itself, because an index is then read in its order. */
function isOneOf(sql: postgres.ISql, key: Written, texts: readonly string[]): Fragment {
  const [only] = texts;
  if (key.kind === "id") {
    const ids = joinedIds(sql, texts);
    return sql`${column(sql, key.column)} in (${ids})`;
  }
  if (only !== undefined && texts.length === 1) return ofText(sql, key, (text) => sql`${text} = ${only}`);
  return ofText(sql, key, (text) => sql`${text} in (${listed(sql, texts)})`);
}

function joinedIds(sql: postgres.ISql, [first = "", ...rest]: readonly string[]): Fragment {
  return rest.reduce((list, id) => sql`${list}, ${id}::uuid`, sql`${first}::uuid`);
}

function compares(sql: postgres.ISql, { key, order, value }: Term & { readonly kind: "compare" }): Fragment {
  if (key.kind === "data") return dataCompares(sql, key, { order, value });
  const name = key.kind === "enum" ? (key.rank ?? key.column) : key.column;
  return ordered(sql, { left: column(sql, name), order, right: sql`${String(value)}::text::bigint` });
}

const turned: Readonly<Record<Order, Order>> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=" };

/** Less than so long ago is later than that. */
function happened({ sql, now }: Context, { key, order, at }: Term & { readonly kind: "time" }): Fragment {
  const left = column(sql, key.column);
  return "instant" in at
    ? ordered(sql, { left, order, right: instant(sql, at.instant) })
    : ordered(sql, { left, order: turned[order], right: instant(sql, now - at.ago) });
}

function isThere(sql: postgres.ISql, key: Key | DataKey): Fragment {
  if (key.kind === "data") return hasData(sql, key);
  const value = column(sql, key.column);
  return key.kind === "list" ? sql`cardinality(${value}) > 0` : sql`${value} is not null`;
}

function isFlagged({ sql, now }: Context, flag: Flag): Fragment {
  if (flag === "snoozed") return sql`episode.snoozed_until > ${instant(sql, now)}`;
  if (flag === "assigned") return sql`episode.assignee is not null`;
  if (flag === "unassigned") return sql`episode.assignee is null`;
  return sql`episode.status = ${flag}`;
}
