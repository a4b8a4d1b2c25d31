import { deriveUuid } from "../../../events/identity.ts";
import { toInstant } from "../../../events/time.ts";
import type { AlertSummary } from "../alert-view.ts";
import type { Message } from "../channels/channel.ts";
import type { NewDelivery } from "../delivery/write-deliveries.ts";
import type { GroupMessage } from "./groups.ts";
import type { GroupKey } from "./plan.ts";
import type { Route } from "./routes.ts";

/** Alerts listed in one message; it says how many there are. */
const maxListed = 100;
/** Alerts that a delivery is found by. */
const maxIds = 1000;

export interface MessageContext {
  readonly route: Route;
  readonly group: GroupKey;
  readonly alerts: ReadonlyMap<string, AlertSummary>;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Where an alert can be looked at. */
  readonly urlOf?: ((alertId: string) => string) | undefined;
  /** What the id of a message derives from, besides what it says. */
  readonly idParts: (message: GroupMessage, channel: string) => readonly string[];
}

/** The rows of the messages of a group: one for each channel. */
export function toDeliveries(
  messages: readonly GroupMessage[],
  context: MessageContext,
): readonly NewDelivery[] {
  return messages.flatMap((message) => {
    const alerts = message.members.flatMap(({ id }) => context.alerts.get(id) ?? []);
    const [gravest] = alerts;
    if (!gravest) return [];
    const body = toMessage(message, [gravest, ...alerts.slice(1)], context);
    return message.channels.map((channel) => ({
      delivery_id: deriveUuid(...context.idParts(message, channel)),
      alert_ids: alerts.slice(0, maxIds).map(({ alert_id }) => alert_id),
      channel,
      kind: message.kind,
      route: context.route.name,
      message: body,
      muted_by: message.mutedBy ?? null,
    }));
  });
}

function toMessage(
  { kind }: GroupMessage,
  alerts: readonly [AlertSummary, ...AlertSummary[]],
  { route, group, now, urlOf }: MessageContext,
): Message {
  const [data] = alerts;
  const isAlone = route.groupBy === "alone";
  return {
    type: `alert.${kind}`,
    timestamp: isAlone && kind === "raised" ? data.timestamp : toInstant(now),
    data,
    ...(!isAlone && {
      alerts: alerts.slice(0, maxListed),
      group: { route: route.name, values: group.values, total: alerts.length },
    }),
    ...(urlOf && { url: urlOf(data.alert_id) }),
  };
}

/** Of the message an alert begins with: the same for ever, so that no retry can tell of it twice. */
export function directIdParts(alert: AlertSummary, { name }: Route): MessageContext["idParts"] {
  return ({ kind, mutedBy }, channel) => [
    "delivery",
    alert.alert_id,
    channel,
    kind,
    // Reopened, it is told of once more each time.
    ...(kind === "raised" ? [] : [String(alert.revision)]),
    // What one route keeps back another one may send.
    ...(mutedBy === undefined ? [] : [name, mutedBy]),
  ];
}

/** Of a message of a group: by the look at it that gave rise to the message. */
export function groupIdParts(groupId: string, opened: string, sequence: number): MessageContext["idParts"] {
  return ({ kind, mutedBy, step }, channel) => [
    "group-delivery",
    groupId,
    opened,
    String(sequence),
    channel,
    kind,
    String(step ?? 0),
    mutedBy ?? "",
  ];
}
