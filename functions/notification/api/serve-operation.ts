import type { Context } from "hono";

import { checkScope, type Principal } from "../../../runtime/access/access.ts";
import { readBody } from "./body.ts";
import { nameOf } from "./actor.ts";
import type { ApiDeps } from "./deps.ts";
import { runOnce } from "./idempotency.ts";
import type { Operation } from "./operation.ts";
import { problem } from "./problems.ts";
import type { Allowance } from "./rate-limit.ts";

declare module "hono" {
  interface ContextVariableMap {
    /** Headers of every answer to this request, also of a refusal. */
    allowance: Readonly<Record<string, string>>;
  }
}

export interface ServeDeps {
  readonly deps: ApiDeps;
  readonly allow: (caller: string) => Allowance;
}

/**
 * Answers a request to an operation: who asks, whether they may and not too often, whether the request is
 * right, and then, once for each Idempotency-Key, the operation itself.
 */
export function createHandler(operation: Operation, { deps, allow }: ServeDeps) {
  return async (context: Context): Promise<Response> => {
    const request = context.req.raw;
    const caller = await identify(context, { deps, allow });
    checkScope(caller, operation.scope);
    const body = await readBody(request);
    const prepared = operation.prepare({
      params: context.req.param(),
      query: new URL(request.url).searchParams,
      body: body.value,
      faults: [],
    });
    const perform = () => prepared({ caller, request }, deps);
    if (operation.method !== "post") return perform();
    return runOnce(perform, { caller, request, body: body.text, deps });
  };
}

/** Who asks. Every request counts against the limit, also one with a wrong credential. */
export async function identify(context: Context, { deps, allow }: ServeDeps): Promise<Principal> {
  const known: { caller?: Principal; failure?: unknown } = await deps.access
    .authenticate(context.req.raw)
    .then((caller) => ({ caller }))
    .catch((failure: unknown) => ({ failure }));
  const { caller } = known;
  const name = caller && nameOf(caller);
  const allowance = allow(name ?? `address ${deps.access.addressOf(context.req.raw)}`);
  context.set("allowance", allowance.headers);
  if (!allowance.allowed) {
    const seconds = allowance.headers["retry-after"] ?? "1";
    throw problem("too-many-requests", {
      detail: `Expected a pause of ${seconds} s before the next request.`,
    });
  }
  if (caller === undefined) throw known.failure;
  return caller;
}
