import { type QueryNode, termsOf } from "./ast.ts";
import { parseText } from "./parse.ts";

/** A question about alerts, in the language of `docs/query-language.md`. */
export interface Query {
  readonly text: string;
  readonly node: QueryNode;
}

/** Reads a query; an empty text asks for everything. Throws QueryError, which tells where and what. */
export function parseQuery(text: string): Query {
  return { text, node: parseText(text) };
}

/** Whether it asks for fields of the event behind an alert, which a summary does not carry. */
export function usesEventData(query: Query): boolean {
  return termsOf(query.node).some((term) => "key" in term && term.key.kind === "data");
}

/** Whether it names what is suppressed; lists leave that out otherwise. */
export function asksForSuppressed(query: Query): boolean {
  return termsOf(query.node).some(
    (term) =>
      (term.kind === "is" && term.flag === "suppressed") ||
      (term.kind === "one-of" && term.key.field === "status" && term.values.includes("suppressed")),
  );
}
