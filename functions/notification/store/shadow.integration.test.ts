import { afterAll, beforeAll, expect, test } from "vitest";

import { deriveUuid } from "../../../events/identity.ts";
import { createLog } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { toEmission } from "../alert.ts";
import { alertEvent } from "../emissions.testing.ts";
import { createReader } from "./reader.ts";
import { createStore } from "./store.ts";
import { tellAll } from "./tell-all.testing.ts";

const log = createLog({ name: "test", level: "silent" });
let database: TestDatabase;
let postgres: Postgres;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", log });
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const page = { limit: 10, offset: 0 };
const trial = { alert_id: deriveUuid("trial"), group_key: "g", rule_version: "v", mode: "shadow" } as const;
const active = { ...trial, alert_id: deriveUuid("active"), mode: "active" } as const;

test("the alerts of a rule on trial are kept and told to nobody, until it becomes active", async () => {
  const reader = createReader(postgres);
  const metrics = createMetrics("test");
  const store = createStore({ postgres, metrics, tell: tellAll(["console"]), onOutbox: () => undefined });

  await store.storeAlert(toEmission(alertEvent(trial, "1")));
  expect(await reader.listAlerts(page)).toEqual([]);
  expect(await reader.listDeliveries(trial.alert_id)).toEqual([]);
  const kept = [{ alert_id: trial.alert_id, status: "suppressed", count: 1 }];
  expect(await reader.listAlerts({ ...page, suppressed: true })).toMatchObject(kept);
  expect(await reader.findAlert(trial.alert_id)).toMatchObject({ status: "suppressed" });

  // At the same time, of the same rule, version and group: it must not vanish in the episode of the trial.
  await store.storeAlert(toEmission(alertEvent(active, "2")));
  const told = [{ alert_id: active.alert_id, status: "open", count: 1 }];
  expect(await reader.listAlerts(page)).toMatchObject(told);
  expect(await reader.listDeliveries(active.alert_id)).toHaveLength(1);
});
