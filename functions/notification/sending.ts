import type { Failpoint } from "../../runtime/failpoints.ts";
import type { FunctionHost } from "../../runtime/function.ts";
import { openPostgres, type Postgres } from "../../runtime/postgres/postgres.ts";
import type { NotificationConfig } from "./config.ts";
import { createDeliveryStore } from "./delivery/store.ts";
import { createWorker, type Worker } from "./delivery/worker.ts";
import { createRelay } from "./outbox/relay.ts";
import { createFlusher } from "./routing/flusher.ts";
import { createTell, type TellDeps } from "./routing/tell.ts";
import { createActiveSilences } from "./silences/active.ts";
import type { Tell } from "./store/tell.ts";
import type { Telling } from "./telling.ts";

export interface SendingDeps {
  readonly host: FunctionHost<NotificationConfig>;
  readonly telling: Telling;
  readonly failpoint: Failpoint;
}

/** Everything that leaves: messages to people, and events of ours to the broker. */
export interface Sending extends AsyncDisposable {
  /** Decides whom to tell, in the transaction that stores an alert. */
  readonly tell: Tell;
  readonly worker: Worker;
  /** Looks for messages that are due and for events; returns at once. */
  wake(this: void): void;
  /** Looks for events alone. */
  wakeRelay(this: void): void;
}

/** Opens what sends. Disposing it delivers what is due and waits for what is under way. */
export async function openSending({ host, telling, failpoint }: SendingDeps): Promise<Sending> {
  await using opening = new AsyncDisposableStack();
  const postgres = opening.use(await openOwnPostgres(host));
  const relay = opening.use(createRelay({ ...host, postgres, failpoint }));
  const deciding = decidingWith(host.config, telling);
  const worker = opening.use(
    createWorker({
      ...host,
      store: createDeliveryStore(postgres),
      channels: telling.channels,
      flusher: createFlusher({ ...deciding, postgres, failpoint }),
      onOutbox: () => relay.wake(),
      failpoint,
    }),
  );
  const opened = opening.move();
  return {
    tell: createTell(deciding),
    worker,
    wake() {
      relay.wake();
      worker.wake();
    },
    wakeRelay: () => relay.wake(),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function decidingWith(config: NotificationConfig, telling: Telling): TellDeps {
  const { AUDITFLOW_DASHBOARD_URL: dashboard, AUDITFLOW_DELIVERY_HORIZON: horizonMs } = config;
  return {
    routes: telling.routes,
    silences: createActiveSilences(),
    urlOf: dashboard === undefined ? undefined : (id) => `${dashboard.replace(/\/$/, "")}/alerts/${id}`,
    horizonMs,
  };
}

/** Connections of its own: marks that wait for a busy pool let a lease run out, and a message goes twice. */
function openOwnPostgres({ config, log }: Pick<SendingDeps["host"], "config" | "log">): Promise<Postgres> {
  return openPostgres({ url: config.DATABASE_URL, max: 2, name: "notification-sender", byIndex: true, log });
}
