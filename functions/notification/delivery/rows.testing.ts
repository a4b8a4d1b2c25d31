import { deriveUuid } from "../../../events/identity.ts";
import type { NewDelivery } from "./write-deliveries.ts";

/** Deliveries to a channel, `run` apart from those of other tests; `parts` replaces fields of all of them. */
export function newDeliveries(
  count: number,
  { run = "run", channel = "webhook", ...parts }: Partial<NewDelivery> & { readonly run?: string } = {},
): readonly NewDelivery[] {
  return Array.from({ length: count }, (_, index) => {
    const alertId = deriveUuid("test-alert", run, String(index));
    return {
      delivery_id: deriveUuid("test-delivery", run, channel, String(index)),
      alert_ids: [alertId],
      channel,
      kind: "raised",
      route: null,
      message: {
        type: "alert.raised",
        timestamp: "2026-11-21T12:00:05.000Z",
        data: { alert_id: alertId, alert_name: "Multiple failed logins", severity: "HIGH", count: 3 },
      },
      muted_by: null,
      ...parts,
    };
  });
}
