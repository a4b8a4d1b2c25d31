import { pino } from "pino";

import { openTestDatabase } from "../../test/support/database.ts";
import { openPostgres } from "../postgres/postgres.ts";
import { ledgerConformance } from "./ledger.conformance.ts";
import { openPostgresLedger } from "./postgres.ts";

const log = pino({ level: "silent" });

ledgerConformance("PostgreSQL", async () => {
  await using opening = new AsyncDisposableStack();
  const { url } = opening.use(await openTestDatabase());
  const postgres = opening.use(await openPostgres({ url, name: "test", log }));
  const other = opening.use(await openPostgres({ url, name: "test", log }));
  const ledger = opening.use(openPostgresLedger(postgres, { log }));
  const replica = opening.use(openPostgresLedger(other, { log }));
  const opened = opening.move();
  return { ledger, replica, [Symbol.asyncDispose]: () => opened.disposeAsync() };
});
