import { ledgerConformance } from "./ledger.conformance.ts";
import { createMemoryLedger } from "./memory.ts";

ledgerConformance("memory", async () => {
  const ledger = createMemoryLedger({ now: Date.now });
  return { ledger, replica: ledger, [Symbol.asyncDispose]: async () => undefined };
});
