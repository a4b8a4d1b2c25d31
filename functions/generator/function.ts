import { openPostgresLedger } from "../../runtime/ledger/postgres.ts";
import { openPostgres } from "../../runtime/postgres/postgres.ts";
import { defineGenerator } from "./definition.ts";

/** Brings audit events in: what people and systems send, and synthetic traffic. It has no delivery route. */
export const generator = defineGenerator(async ({ config, health, log, metrics }, opening) => {
  const dependency = health.dependency("postgres", { impairs: ["accepting events"] });
  const postgres = await openPostgres({
    url: config.DATABASE_URL ?? "",
    name: "generator",
    health: dependency,
    log,
  });
  return openPostgresLedger(opening.use(postgres), { log, metrics });
});
