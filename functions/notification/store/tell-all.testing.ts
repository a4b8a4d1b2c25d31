import { deriveUuid } from "../../../events/identity.ts";
import type { Message } from "../channels/channel.ts";
import { type NewDelivery, writeDeliveries } from "../delivery/write-deliveries.ts";
import type { Occasion, Tell } from "./tell.ts";

const types = { raised: "alert.raised", reopened: "alert.reopened" } as const satisfies Record<
  Occasion["kind"],
  Message["type"]
>;

/** Tells every one of these channels of every occasion, at once: what is done where no routes are given. */
export function tellAll(channels: readonly string[]): Tell {
  return async (sql, occasions) => {
    const rows = occasions.flatMap((occasion) => channels.map((channel) => toDelivery(occasion, channel)));
    await writeDeliveries(sql, rows);
    return rows.length > 0;
  };
}

/** The ids derive from what is told, so that it is told once, however often it is stored. */
function toDelivery({ kind, alert }: Occasion, channel: string): NewDelivery {
  const { alert_id: alertId, timestamp, revision } = alert;
  const told = kind === "raised" ? [kind] : [kind, String(revision)];
  return {
    delivery_id: deriveUuid("delivery", alertId, channel, ...told),
    alert_ids: [alertId],
    channel,
    kind,
    route: null,
    message: { type: types[kind], timestamp, data: alert },
    muted_by: null,
  };
}
