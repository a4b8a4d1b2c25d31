import type { EnumKey, Flag, IdKey, Key, ListKey, NumberKey, TextKey, TimeKey } from "./keys.ts";
import type { Pattern } from "./pattern.ts";
import type { CommonRegex } from "./regex/common.ts";

export type Order = ">" | ">=" | "<" | "<=";

/** A field of the event that was the first evidence; its values are compared as stored, with case. */
export interface DataKey {
  readonly kind: "data";
  readonly path: readonly string[];
}

/** One test of an alert. Patterns are folded to lower case but for `data`. */
export type Term =
  | { readonly kind: "text"; readonly pattern: Pattern }
  | {
      readonly kind: "match";
      readonly key: TextKey | IdKey | ListKey | DataKey;
      readonly patterns: readonly Pattern[];
    }
  | { readonly kind: "regex"; readonly key: TextKey | IdKey | ListKey | DataKey; readonly regex: CommonRegex }
  | { readonly kind: "one-of"; readonly key: EnumKey; readonly values: readonly string[] }
  | { readonly kind: "number"; readonly key: NumberKey; readonly values: readonly number[] }
  /** `value` is a number, or for an ordered enumeration a place in it, from 1. */
  | {
      readonly kind: "compare";
      readonly key: NumberKey | EnumKey | DataKey;
      readonly order: Order;
      readonly value: number;
    }
  /** An instant, or how long ago: then `<` means later than that. Both in milliseconds. */
  | {
      readonly kind: "time";
      readonly key: TimeKey;
      readonly order: Order;
      readonly at: { readonly instant: number } | { readonly ago: number };
    }
  | { readonly kind: "has"; readonly key: Key | DataKey }
  | { readonly kind: "is"; readonly flag: Flag };

export type QueryNode =
  | { readonly kind: "term"; readonly term: Term }
  /** Of none: everything. */
  | { readonly kind: "and"; readonly nodes: readonly QueryNode[] }
  | { readonly kind: "or"; readonly nodes: readonly QueryNode[] }
  | { readonly kind: "not"; readonly node: QueryNode };

export function toNode(term: Term): QueryNode {
  return { kind: "term", term };
}

/** All terms of a node, wherever they stand. */
export function termsOf(node: QueryNode): readonly Term[] {
  switch (node.kind) {
    case "and":
    case "or":
      return node.nodes.flatMap(termsOf);
    case "not":
      return termsOf(node.node);
    case "term":
      return [node.term];
    default:
      return node satisfies never;
  }
}
