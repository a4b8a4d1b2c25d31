/**
 * A process that delivers, for faults to be made in: `node deliverer.ts '<Deliverer as JSON>'`. Told over
 * IPC, its wall clock jumps by so many milliseconds. It ends by being killed.
 */
import { openWebhookTo } from "../../functions/notification/delivery/receiver.testing.ts";
import { createDeliveryStore } from "../../functions/notification/delivery/store.ts";
import { createWorker, type WorkerPolicy } from "../../functions/notification/delivery/worker.ts";
import { createLog } from "../../runtime/log.ts";
import { createMetrics } from "../../runtime/metrics.ts";
import { openPostgres } from "../../runtime/postgres/postgres.ts";

export interface Deliverer {
  readonly database: string;
  readonly webhook: string;
  readonly policy: Partial<WorkerPolicy>;
}

const clock = { jumpedMs: 0 };

/** The wall clock of the whole process; timers keep to the other one, as they do when a real clock jumps. */
class JumpingDate extends Date {
  constructor(...given: readonly [] | readonly [value: number | string | Date]) {
    if (given.length === 0) super(JumpingDate.now());
    else super(given[0]);
  }
  static override now(): number {
    return realNow() + clock.jumpedMs;
  }
}
const realNow = Date.now.bind(Date);
globalThis.Date = JumpingDate as DateConstructor;

const { database, webhook, policy } = JSON.parse(process.argv[2] ?? "") as Deliverer;
const log = createLog({ name: "deliverer", level: "silent" });
const postgres = await openPostgres({ url: database, name: "deliverer", max: 1, log });
const channel = openWebhookTo(webhook);
const channels = new Map([[channel.name, channel]]);
const worker = createWorker({
  store: createDeliveryStore(postgres),
  channels: () => channels,
  log,
  metrics: createMetrics("deliverer"),
  random: Math.random,
  now: () => Date.now(),
  policy,
});
process.on("message", (jumpMs: number) => (clock.jumpedMs += jumpMs));
worker.wake();
process.send?.("ready");
