import { openPostgresLedger } from "../../runtime/ledger/postgres.ts";
import { openPostgres } from "../../runtime/postgres/postgres.ts";
import { defineGenerator } from "./definition.ts";

/** Brings audit events in: what people and systems send, and synthetic traffic. It has no delivery route. */
export const generator = defineGenerator(async ({ config, health, log, metrics }, opening) => {
  const dependency = health.dependency("postgres", { impairs: ["accepting events"] });
  const url = config.DATABASE_URL ?? "";
  const postgres = opening.use(await openPostgres({ url, name: "generator", health: dependency, log }));
  return { postgres, ledger: opening.use(openPostgresLedger(postgres, { log, metrics })) };
});
