import type { Receipt } from "../../functions/generator/intake.ts";
import { type AuditEvent, fromAuditEvent } from "../../functions/generator/normalise.ts";
import type { Sink } from "../../runtime/function.ts";
import type { Chance } from "./chance.ts";
import { keyOf, type World } from "./database.ts";
import type { Generator } from "./functions.ts";
import type { Network, Service } from "./network.ts";

/** One audit event, as a client has it, and when and how it is sent, perhaps more than once. */
export interface Planned {
  readonly body: { readonly event_id: string };
  readonly sendings: readonly {
    readonly at: number;
    readonly via: "generator" | "broker";
    readonly timeless: boolean;
  }[];
}

/**
 * Events of two users on two hosts: in half seconds, in bursts that tie and that leave gaps longer than a
 * window, up to 40 s apart and so beyond the lateness in many orders; sometimes an hour ago or ahead.
 */
export function planTraffic(
  chance: Chance,
  { startAt, lengthMs }: { startAt: number; lengthMs: number },
): readonly Planned[] {
  const count = chance.between(4, 16);
  const oldest = chance.pick([0, -3_600_000, -7_200_000]);
  const instantOf = () => {
    const half = chance.between(0, 10) * 7 + chance.between(0, 8);
    const shift = chance.happens(0.1) ? chance.pick([oldest, 3_600_000]) : 0;
    return startAt + half * 500 + shift;
  };
  const planned = Array.from({ length: count }, (_, index) => {
    const body = bodyOf(chance, `e${index}`, instantOf());
    return { body, sendings: sendingsOf(chance, lengthMs) };
  });
  const copies = planned
    .filter(() => chance.happens(0.1))
    // The id of another event on other data: at most one of both may count.
    .map(({ body }) => ({
      body: { ...body, user_id: `u${chance.between(0, 1)}`, action_result: "SUCCESS" },
      sendings: sendingsOf(chance, lengthMs),
    }));
  return [...planned, ...copies];
}

function bodyOf(chance: Chance, id: string, time: number) {
  const common = {
    event_id: id,
    timestamp: new Date(time).toISOString(),
    source_service: "sim",
    user_id: `u${chance.between(0, 1)}`,
    server_hostname: `h${chance.between(0, 1)}`,
  };
  if (chance.happens(0.06)) return { ...common, event_type: "mystery" };
  if (chance.happens(0.1)) {
    return { ...common, event_type: "file_modified", action_result: "MODIFIED", resource: "/etc/shadow" };
  }
  return { ...common, event_type: "user_login", action_result: chance.happens(0.8) ? "FAILURE" : "SUCCESS" };
}

function sendingsOf(chance: Chance, lengthMs: number): Planned["sendings"] {
  const times = chance.happens(0.25) ? chance.between(2, 3) : 1;
  return Array.from({ length: times }, () => ({
    // A straggler comes when its window has expired long since.
    at: chance.happens(0.01) ? lengthMs + chance.between(3_600_000, 8_000_000) : chance.between(0, lengthMs),
    via: chance.happens(0.25) ? "broker" : "generator",
    timeless: chance.happens(0.1),
  }));
}

export interface ClientDeps {
  readonly world: World;
  readonly network: Network;
  readonly generator: Service<Generator>;
  readonly sink: Sink;
  readonly newId: () => string;
  /** Keys of events whose sender was told that they are accepted. */
  readonly acknowledged: Set<string>;
}

/** Sends what is planned, each sending by a client of its own, until it is answered or gives up. */
export async function sendTraffic(deps: ClientDeps, planned: readonly Planned[]): Promise<void> {
  const { scheduler, chance } = deps.world;
  await Promise.all(
    planned.flatMap(({ body, sendings }) =>
      sendings.map(async ({ at, via, timeless }) => {
        await scheduler.sleep(at);
        for (let attempt = 1; attempt <= 6; attempt += 1) {
          const isAnswered = await (via === "generator"
            ? sendToGenerator(deps, body)
            : publish(deps, { body, timeless }));
          if (isAnswered) return;
          await scheduler.sleep(chance.between(100, 10_000));
        }
      }),
    ),
  );
}

async function sendToGenerator(deps: ClientDeps, body: object): Promise<boolean> {
  const { network, generator, acknowledged } = deps;
  const receipt = await network<Generator, Receipt>({
    to: generator,
    label: "emission",
    use: ({ receive }) => receive(body),
    timeoutMs: 10_000,
  }).catch(() => undefined);
  if (receipt?.status === "accepted") acknowledged.add(keyOf(receipt));
  return receipt !== undefined && (receipt.status === "accepted" || receipt.problem.status < 500);
}

/** Straight to the broker: nobody promises that such an event is kept, but if it is, it counts. */
async function publish(
  { world, sink, newId }: ClientDeps,
  { body, timeless }: { readonly body: object; readonly timeless: boolean },
): Promise<boolean> {
  const event: AuditEvent = fromAuditEvent(body, { receivedAt: world.scheduler.now(), newId });
  const { time: _time, ...rest } = event;
  return await sink([timeless ? rest : event]).then(
    () => true,
    () => false,
  );
}
