import type { z } from "zod";

import type { Event } from "./event.ts";

/** One kind of event: its CloudEvents `type` and the schema of its `data`. */
export interface Contract<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: z.ZodType<Data>;
  /** One sentence for the generated documents. */
  readonly description: string;
  /** At least one valid `data`; each is checked against the schema and the generated JSON Schema. */
  readonly examples: readonly unknown[];
}

/** The event a contract, or a union of contracts, admits; narrow it by `type`. */
export type EventOf<C extends Contract> =
  C extends Contract<infer Type, infer Data> ? Event<Data, Type> : never;

/** Declares a contract; the type parameters are inferred from its members. */
export function defineContract<const Type extends string, Data>(contract: {
  readonly type: Type;
  readonly data: z.ZodType<Data>;
  readonly description: string;
  readonly examples: readonly unknown[];
}): Contract<Type, Data> {
  return contract;
}
