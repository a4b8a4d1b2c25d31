import { z } from "zod";

/** How long one attempt may take; shorter than the lease of a delivery. */
export const timeoutSetting = z
  .int()
  .min(100)
  .max(15_000)
  .default(10_000)
  .meta({ description: "milliseconds that one attempt may take" });

/** Whether a secret can be sent in a header: printable ASCII, no spaces. */
export function checkToken(token: string): string | undefined {
  return /^[\u0021-\u007E]+$/.test(token) ? undefined : "does not hold a token of one line";
}
