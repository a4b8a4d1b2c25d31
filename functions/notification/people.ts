import { toInstant } from "../../events/time.ts";
import type { Access } from "../../runtime/access/access.ts";
import { createKeyStore } from "../../runtime/access/key-store.ts";
import type { FunctionHost } from "../../runtime/function.ts";
import { openPostgres, type Postgres } from "../../runtime/postgres/postgres.ts";
import type { Api } from "./api/app.ts";
import type { NotificationConfig } from "./config.ts";
import type { Sending } from "./sending.ts";
import { createSilences } from "./silences/silences.ts";
import type { Telling } from "./telling.ts";

export interface PeopleDeps {
  readonly host: FunctionHost<NotificationConfig>;
  readonly access: Access;
  readonly telling: Telling;
  readonly sending: Sending;
  /** Aborted when the process stops. */
  readonly stopping: AbortSignal;
}

/** The API for people. It is opened by the first request, because a delivery must not wait for its modules. */
export function openPeople(deps: PeopleDeps): Api & AsyncDisposable {
  let opened: Promise<Opened> | undefined;
  const once = () =>
    (opened ??= open(deps).catch((error: unknown) => {
      // The next request may fare better.
      opened = undefined;
      throw error;
    }));
  return {
    fetch: async (request) => (await once()).api.fetch(request),
    async [Symbol.asyncDispose]() {
      await (await opened)?.[Symbol.asyncDispose]();
    },
  };
}

interface Opened extends AsyncDisposable {
  readonly api: Api;
}

async function open(deps: PeopleDeps): Promise<Opened> {
  const { host, access, sending, stopping, telling } = deps;
  const { config, log, now, newId } = host;
  await using opening = new AsyncDisposableStack();
  const postgres = opening.use(await openOwnPostgres(host));
  const [{ createApi }, { createAlertStream }, { createIdempotencyStore }, parts] = await Promise.all([
    import("./api/app.ts"),
    import("./api/stream/stream.ts"),
    import("./api/idempotency-store.ts"),
    openParts(deps, postgres),
  ]);
  // What was never sent to counts as reachable.
  const untried = { state: "closed", since: toInstant(now()) } as const;
  const stream = opening.use(createAlertStream({ postgres, url: config.DATABASE_URL, log, stopping }));
  const api = createApi({
    ...parts,
    silences: createSilences({ postgres, newId, now }),
    access,
    channels: {
      list: () =>
        [...telling.channels().values()].map(({ name, type }) => ({
          name,
          type,
          circuit: sending.worker.circuits().get(name) ?? untried,
        })),
    },
    keys: createKeyStore(postgres),
    idempotency: createIdempotencyStore(postgres),
    stream: stream.handler,
    predecessor: { reader: parts.reader, stream: stream.predecessor },
    requestsPerMinute: config.AUDITFLOW_API_RATE,
    docs: config.AUDITFLOW_DOCS,
    now,
    log,
    stopping,
  });
  const opened = opening.move();
  return { api, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** Connections of its own: a reading that takes long must not keep an alert from being stored. */
function openOwnPostgres({ config, log }: PeopleDeps["host"]): Promise<Postgres> {
  const { DATABASE_URL: url, AUDITFLOW_POSTGRES_CONNECTIONS: max } = config;
  return openPostgres({ url, max, name: "notification-api", log });
}

/** What the API works with besides what runs without it. */
async function openParts({ host, telling, sending }: PeopleDeps, postgres: Postgres) {
  const [alerts, desk, letters, post, deliveries, reader] = await Promise.all([
    import("./store/list/alert-reader.ts"),
    import("./life-cycle/desk.ts"),
    import("./dead-letters/dead-letters.ts"),
    import("./dead-letters/post.ts"),
    import("./delivery/deliveries.ts"),
    import("./store/reader.ts"),
  ]);
  const { config, now, log, newId, sink } = host;
  return {
    alerts: alerts.createAlertReader(postgres, now),
    desk: desk.createDesk({ postgres, now, onOutbox: sending.wakeRelay }),
    deadLetters: letters.createDeadLetters({
      postgres,
      sink,
      log,
      post: post.createPostTo({ timeoutMs: 15_000 }),
      hosts: config.AUDITFLOW_REPLAY_HOSTS,
      // Who can be reached by others could be made to ask this machine's own services.
      loopback: !host.exposed,
    }),
    deliveries: deliveries.createDeliveries({
      postgres,
      channels: telling.channels,
      wake: sending.wake,
      newId,
      now,
      log,
      horizonMs: config.AUDITFLOW_DELIVERY_HORIZON,
    }),
    reader: reader.createReader(postgres),
  };
}
