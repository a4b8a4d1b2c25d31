import type { Expression } from "./expression.ts";

/** One expression stands for itself, several are linked. */
export function combine(kind: "and" | "or", of: readonly Expression[]): Expression {
  const [first] = of;
  return first !== undefined && of.length === 1 ? first : { kind, of };
}
