import { alertRaised } from "../../events/contracts/alert-raised.ts";
import { alertUpdated } from "../../events/contracts/alert-updated.ts";
import { eventRejected } from "../../events/contracts/event-rejected.ts";
import { notificationDelivered } from "../../events/contracts/notification-delivered.ts";
import { notificationFailed } from "../../events/contracts/notification-failed.ts";
import { openAccess, planAccess } from "../../runtime/access/open.ts";
import { createFailpoint, createSeededRandom, type Failpoint } from "../../runtime/failpoints.ts";
import { defineFunction, type FunctionHost } from "../../runtime/function.ts";
import { openPostgres, type Postgres } from "../../runtime/postgres/postgres.ts";
import { pathOf } from "../../runtime/request-target.ts";
import { brokerPaths, createBrokerRoutes } from "./api/broker-routes.ts";
import { type NotificationConfig, notificationConfig } from "./config.ts";
import { createNotifier } from "./notifier.ts";
import { openPeople } from "./people.ts";
import { openSending } from "./sending.ts";
import { ensurePartitions, runRetention } from "./store/retention.ts";
import { createStore } from "./store/store.ts";
import { openTelling } from "./telling.ts";

/**
 * Keeps alerts, joins them into episodes, tells people, lets them work on alerts, and keeps what could not be
 * handled.
 */
export const notification = defineFunction({
  name: "notification",
  accepts: [alertRaised, eventRejected],
  emits: [alertUpdated, notificationDelivered, notificationFailed],
  deliveryPaths: brokerPaths.delivery,
  schedulePaths: brokerPaths.schedule,
  config: notificationConfig,
  async start(host) {
    const plan = planAccess(host.config, { exposed: host.exposed, hasDatabase: true });
    await using opening = new AsyncDisposableStack();
    const { log } = host;
    const failpoint = openFailpoint(host);
    const postgres = opening.use(await openStorePostgres(host));
    const access = opening.use(openAccess(plan, { ...host, postgres }));
    const telling = opening.use(await openTelling(host));
    const sending = opening.use(await openSending({ host, telling, failpoint }));
    const store = createStore({ ...host, postgres, tell: sending.tell, onOutbox: sending.wake, failpoint });
    opening.defer(() => store.drain());
    const stopping = new AbortController();
    opening.defer(() => stopping.abort());
    const people = opening.use(openPeople({ host, access, telling, sending, stopping: stopping.signal }));
    const retain = () => retainWith(host);
    const broker = createBrokerRoutes({ store, worker: sending.worker, retain, log });
    // What an earlier process left behind.
    sending.wake();
    const opened = opening.move();
    return {
      handle: createNotifier(store),
      fetch: (request) => (isForBroker(request) ? broker : people).fetch(request),
      drain: () => stopping.abort(),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  },
});

type Host = FunctionHost<NotificationConfig>;

const forBroker: ReadonlySet<string> = new Set([...brokerPaths.delivery, ...brokerPaths.schedule]);

function isForBroker({ method, url }: Request): boolean {
  return method === "POST" && forBroker.has(pathOf(url));
}

function openStorePostgres({ config, health, log }: Host): Promise<Postgres> {
  const { DATABASE_URL: url, AUDITFLOW_POSTGRES_CONNECTIONS: max } = config;
  const impairs = ["storing alerts", "the alert API", "telling people"];
  return openPostgres({
    url,
    max,
    name: "notification",
    byIndex: true,
    health: health.dependency("postgres", { impairs }),
    log,
  });
}

/** Below the five minutes after which Knative cuts a request. */
const retentionMs = 280_000;

/** On a connection of its own: to drop a large month may take longer than anything else may. */
async function retainWith({ config, log }: Host): Promise<object> {
  const { DATABASE_URL: url, AUDITFLOW_RETENTION_DAYS: days } = config;
  const statementTimeoutMs = retentionMs;
  await using postgres = await openPostgres({
    url,
    max: 1,
    name: "notification-retention",
    log,
    statementTimeoutMs,
  });
  if (days === undefined) return { partitions_made: await ensurePartitions(postgres) };
  return runRetention({ postgres, days, dryRun: false });
}

function openFailpoint({ config, random, log }: Host): Failpoint {
  const { AUDITFLOW_FAILPOINTS: specification, AUDITFLOW_FAILPOINTS_SEED: seed } = config;
  return createFailpoint(specification, {
    random: seed === undefined ? random : createSeededRandom(seed),
    onFire: (name, kind) => log.warn({ name, kind }, "failpoint"),
  });
}
