import { deriveUuid } from "../../../events/identity.ts";
import type { Message, MessageAlert, Outgoing, Receipt } from "./channel.ts";

/** What a receiver that keeps alerts itself is told at once, and what it knows it by. */
export interface AlertPart {
  /** The alert's id; the group's where the part stands for many; the delivery's where for none. */
  readonly key: string;
  readonly message: Message;
}

/** Alerts of a group that are handed over one by one; one part stands for the others. */
const maxParts = 10;
const parallel = 5;

/**
 * A message for a receiver that keeps alerts by a key: one part for each alert of a group, so that
 * resolving one ends what raising it began. Of a large group the first ten are told one by one, and a part
 * for the group stands for the others; what tells of resolved alerts ends all it lists, and that part too.
 * Repeating parts changes nothing at the receiver.
 */
export function partsOf({ id, message }: Outgoing): readonly AlertPart[] {
  if (message.type === "test" || message.type === "alert.digest") return [{ key: id, message }];
  const { group, type } = message;
  const alerts = message.alerts ?? [message.data];
  const all = alerts.map((alert) => alone(alert, message));
  if (group === undefined) return all.slice(0, maxParts);
  const whole = {
    key: deriveUuid("alert-group", group.route, ...Object.entries(group.values).flat()),
    message,
  };
  if (type === "alert.resolved") return [...all, whole];
  return Math.max(group.total, alerts.length) <= maxParts ? all : [...all.slice(0, maxParts), whole];
}

/**
 * Hands over the parts, a few at once, within the time of one attempt; answers what the last was answered
 * with. One that fails ends it, and the next attempt begins anew.
 */
export async function sendParts(
  parts: readonly AlertPart[],
  send: (part: AlertPart, signal: AbortSignal) => Promise<Receipt>,
  limits: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<Receipt> {
  const signal = AbortSignal.any([limits.signal, AbortSignal.timeout(limits.timeoutMs)]);
  let last: Receipt = {};
  for (let start = 0; start < parts.length; start += parallel) {
    const batch = parts.slice(start, start + parallel);
    const receipts = await Promise.all(batch.map((part) => send(part, signal)));
    last = receipts.at(-1) ?? last;
  }
  return last;
}

function alone(alert: MessageAlert, { type, timestamp, data, url }: Message): AlertPart {
  const isData = alert.alert_id === data.alert_id;
  return {
    key: alert.alert_id,
    message: { type, timestamp, data: alert, ...(isData && url !== undefined && { url }) },
  };
}

/** What the receiver is to do with its alert. */
export function stepOf({ type, data }: Message): "trigger" | "acknowledge" | "resolve" {
  if (type === "alert.resolved") return "resolve";
  return data.status === "acknowledged" && type === "alert.repeated" ? "acknowledge" : "trigger";
}
