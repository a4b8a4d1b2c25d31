import type { HeaderValue } from "./broker.ts";

/** Arguments of a binding to a headers exchange; `null` (AMQP void) asks only that the header is there. */
export type BindingArguments = Readonly<Record<string, HeaderValue | null>>;

/**
 * Whether a RabbitMQ headers exchange routes a message along a binding with `x-match: all`.
 *
 * Every argument must be a header of the same type and value: `"5"` is not `5`, `""` is only the empty
 * string, nothing is a pattern. Arguments named `x-…` say how to match and are not compared, so a binding
 * with no other argument admits everything.
 */
export function admits(binding: BindingArguments, headers: Readonly<Record<string, HeaderValue>>): boolean {
  return Object.entries(binding).every(([name, expected]) => {
    if (name.startsWith("x-")) return true;
    if (!Object.hasOwn(headers, name)) return false;
    return expected === null || headers[name] === expected;
  });
}
