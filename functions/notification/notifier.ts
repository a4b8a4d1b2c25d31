import type { EventOf } from "../../events/contract.ts";
import type { alertRaised } from "../../events/contracts/alert-raised.ts";
import type { eventRejected } from "../../events/contracts/event-rejected.ts";
import type { Event } from "../../events/event.ts";
import { toEmission } from "./alert.ts";
import { fromRejection } from "./dead-letters/dead-letter.ts";
import type { Store } from "./store/store.ts";

type Accepted = EventOf<typeof alertRaised | typeof eventRejected>;

/** Answers once the alert, or the rejected event, is durable; gives rise to no events of its own. */
export function createNotifier(store: Pick<Store, "storeAlert" | "storeDeadLetter">) {
  return async (event: Accepted): Promise<readonly Event[]> => {
    switch (event.type) {
      case "io.auditflow.alert.raised.v1":
        await store.storeAlert(toEmission(event));
        return [];
      case "io.auditflow.event.rejected.v1":
        await store.storeDeadLetter(fromRejection(event));
        return [];
      default:
        return event satisfies never;
    }
  };
}
