import { z } from "zod";

import { auditRecorded } from "../../../events/contracts/audit-recorded.ts";
import { defineFunction } from "../../../runtime/function.ts";

/** A function that accepts audit events and does nothing with them. */
export const nothing = defineFunction({
  name: "nothing",
  accepts: [auditRecorded],
  emits: [],
  config: z.object({}),
  start: async () => ({ handle: async () => [], [Symbol.asyncDispose]: async () => {} }),
});
