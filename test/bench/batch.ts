import type { Event } from "../../events/event.ts";
import { storeOffers, toOffer } from "../../runtime/ledger/accept.ts";
import { openPostgresLedger } from "../../runtime/ledger/postgres.ts";
import { createLog } from "../../runtime/log.ts";
import { openPostgres } from "../../runtime/postgres/postgres.ts";
import { type Calls, callsPerSecond, nameOf, untilConnected } from "./callers.ts";
import { compare, type Report, type Subject } from "./measure.ts";
import { sampleEvent } from "./sample.ts";
import { openStore } from "./store.ts";

const rounds = 5;
const connections = 4;
const log = createLog({ name: "bench", level: "silent" });

/** Storing events in the ledger: group commit against one insert, and one commit, per request. */
export async function run(): Promise<readonly Report[]> {
  await using open = new AsyncDisposableStack();
  const store = open.use(await openStore());
  const postgres = open.use(await openPostgres({ url: store.url, name: "bench", max: connections, log }));
  const ledger = open.use(openPostgresLedger(postgres, { log }));
  await untilConnected(() => postgres.sql`select`);
  const batched = (event: Event) => ledger.accept(event);
  const single = async (event: Event) => {
    const [acceptance] = await storeOffers(postgres, [toOffer(event)]);
    return acceptance;
  };
  const subject = (name: string, accept: Accept, calls: Calls): Subject => ({
    name: `${name}, ${nameOf(calls.callers)}`,
    measure: () => callsPerSecond(calls, () => storeOne(accept)),
  });
  const title = `Events stored a second (embedded PostgreSQL, fsync on, ${connections} connections)`;
  return [
    await compare(title, {
      rounds,
      unit: "events/s",
      subjects: [
        subject("one insert per request", single, { callers: 100, count: 1000 }),
        subject("group commit", batched, { callers: 100, count: 5000 }),
        subject("group commit", batched, { callers: 500, count: 10_000 }),
        subject("one insert per request", single, { callers: 1, count: 500 }),
        subject("group commit", batched, { callers: 1, count: 500 }),
      ],
    }),
  ];
}

type Accept = (event: Event) => Promise<{ readonly outcome: string } | undefined>;

let made = 0;

/** Stores one event that no run has stored before. */
async function storeOne(accept: Accept): Promise<void> {
  made += 1;
  const acceptance = await accept({ ...sampleEvent, id: `bench-${made}` });
  if (acceptance?.outcome !== "stored") throw new Error(`not stored: ${acceptance?.outcome}`);
}
