import { UnavailableError } from "../../../runtime/failure.ts";
import type { Message } from "../channels/channel.ts";
import type { Claim, DeliveryStore, Ended } from "./store.ts";

const message: Message = {
  type: "alert.raised",
  timestamp: "2026-11-21T12:00:05.000Z",
  data: { alert_id: "9b0c7f0a-7a44-5a0e-8f6a-6a0d8f1d2c3b", alert_name: "A", severity: "HIGH", count: 3 },
};

/** Deliveries in memory, as `<channel>/<number>`; `failures` makes the next records fail. */
export function createMemory(ids: readonly string[]) {
  const pending = new Map(ids.map((id) => [id, 0]));
  const recorded: Ended[] = [];
  const order: string[] = [];
  const faults = { records: 0, claims: 0 };
  const store: DeliveryStore = {
    async claim(rooms) {
      if (faults.claims-- > 0) throw new UnavailableError("postgres", "away");
      order.push(`claim ${rooms.map(({ channel, room }) => `${channel} ${room}`).join(", ")}`);
      return rooms.flatMap(({ channel, room }) =>
        [...pending]
          .filter(([id]) => id.startsWith(`${channel}/`))
          .slice(0, room)
          .map(([id, attempts]) => take(id, channel, attempts)),
      );
    },
    async record(attempts) {
      if (faults.records-- > 0) throw new UnavailableError("postgres", "the connection was lost");
      order.push(`record ${attempts.length}`);
      recorded.push(...attempts);
    },
    putOff: async (channel) => order.push(`put off ${channel}`),
    sweep: async () => ({ givenUp: [], stranded: 0 }),
    nextDue: async () => undefined,
  };
  function take(id: string, channel: string, attempts: number): Claim {
    pending.delete(id);
    const attempt = attempts + 1;
    return { id, createdAt: "", alertIds: [], channel, message, attempt, claimedAt: 0, leftMs: 86_400_000 };
  }
  const outcomes = () => recorded.map(({ claim, outcome }) => `${claim.id} ${outcome.kind}`);
  return { store, pending, recorded, order, faults, outcomes };
}
