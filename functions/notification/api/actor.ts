import type { Principal } from "../../../runtime/access/access.ts";
import type { Actor } from "../life-cycle/action.ts";
import { problem } from "./problems.ts";

/** Names a known caller apart from all others; `undefined` where nobody is asked who they are. */
export function nameOf({ type, id }: Principal): string | undefined {
  return type === "anonymous" ? undefined : `${type} ${id}`;
}

/**
 * Who does something: the caller, where callers are known; else whoever the body names in `by`. Throws
 * `actor-required` when nobody is named, and `actor-mismatch` when a known caller names somebody else.
 */
export function actorOf(caller: Principal, by: string | undefined): Actor {
  if (caller.type === "anonymous") {
    if (by !== undefined && by.trim() !== "") return { type: "user", id: by.trim() };
    throw problem("actor-required", {
      detail: "/by is missing: nobody is asked for a credential here, so name who does this.",
      errors: [{ pointer: "/by", detail: "It is required and missing: expected a name.", code: "missing" }],
    });
  }
  if (by === undefined || by === caller.id) return { type: "user", id: caller.id };
  throw problem("actor-mismatch", {
    detail: `/by is ${JSON.stringify(by.slice(0, 80))}, but the credential belongs to ${JSON.stringify(caller.id)}: leave it out.`,
    errors: [{ pointer: "/by", detail: "Expected to be left out.", code: "value" }],
  });
}
