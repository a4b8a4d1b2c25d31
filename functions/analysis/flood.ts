import { type AlertRaised, alertRaised } from "../../events/contracts/alert-raised.ts";
import { createEvent } from "../../events/envelope.ts";
import type { Event } from "../../events/event.ts";
import { deriveId, deriveUuid } from "../../events/identity.ts";
import { toInstant } from "../../events/time.ts";
import type { Log } from "../../runtime/log.ts";
import { createBoundedLabel, type Metrics } from "../../runtime/metrics.ts";
import type { State } from "../../runtime/state/state.ts";
import type { Cause } from "./alert-fields.ts";
import { lengthPrefixed } from "./correlation/group-key.ts";

interface BreakerDeps {
  readonly state: Pick<State, "admit">;
  /** Alerts of one rule about one source within a minute that are told one by one; 0 for all of them. */
  readonly limit: number;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "alertsSummarised">;
}

/** An alert about to be told, and the id of its rule as people know it. */
export interface Telling {
  readonly rule: string;
  readonly alert: Event<AlertRaised>;
  /** Of a summary: the id of the alert whose evidence it carries. */
  readonly standsFor?: string;
}

const minuteMs = 60_000;
/** How long a minute's admissions are remembered: deliveries are repeated for some minutes. */
const rememberMs = 10 * minuteMs;

/**
 * Turns a flood into a rolling summary: of one rule about one source, the first `limit` alerts of a minute
 * (of event time) are told as they are, further ones become evidence of one summary alert. Minutes of a
 * continuous flood touch, so that notification joins them into one episode. Nothing is dropped: every
 * event stays in the ledger and is counted in the summary. Evidence is told once, as everywhere: what a summary
 * carried, the alert it stands for does not carry again when that is told in a later minute.
 *
 * Which alerts come first depends on the order of arrival, so this is for the eyes only: identities and
 * windows are decided before. Without state everything is told.
 */
export function createBreaker({ state, limit, log, metrics }: BreakerDeps) {
  const label = createBoundedLabel();

  async function isAdmitted({ rule, alert }: Telling, { event, time }: Cause): Promise<boolean> {
    const key = lengthPrefixed(["flood", rule, event.source, String(Math.floor(time / minuteMs))]);
    try {
      // By the alert, not the event: further evidence of an alert that was told is no new alert.
      return await state.admit({ key, member: alert.data.alert_id, limit, rememberMs });
    } catch (error) {
      log.debug({ err: error }, "The state cannot tell a flood; the alert is told by itself.");
      return true;
    }
  }

  return async (tellings: readonly Telling[], cause: Cause): Promise<readonly Telling[]> => {
    if (limit === 0) return tellings;
    return await Promise.all(
      tellings.map(async (telling) => {
        if (await isAdmitted(telling, cause)) return telling;
        metrics.alertsSummarised.inc({ rule: label(telling.rule) });
        const alert = summaryOf(telling, { cause, limit });
        return { rule: telling.rule, alert, standsFor: telling.alert.data.alert_id };
      }),
    );
  };
}

/** The alert that stands for what is beyond the limit, with this one's evidence. */
function summaryOf(
  { rule, alert }: Telling,
  { cause, limit }: { readonly cause: Cause; readonly limit: number },
): Event<AlertRaised> {
  const { data } = alert;
  const minute = Math.floor(cause.time / minuteMs);
  const { source } = cause.event;
  const mode = data.mode ?? "active";
  const alert_id = deriveUuid("flood", rule, data.rule_version ?? "", source, String(minute), mode);
  const description = `${data.alert_name}: more than ${limit} alerts a minute about ${source}. Further ones are summed up here; the events are all kept.`;
  return createEvent(alertRaised, {
    id: deriveId(cause.event, alert_id, alert.id),
    source: alert.source,
    time: data.timestamp,
    subject: alert_id,
    extensions: alert.extensions,
    data: {
      ...data,
      alert_id,
      alert_name: `${data.alert_name} (flood)`.slice(0, 4096),
      description: description.slice(0, 4096).toWellFormed(),
      // From the beginning of the minute to that of the next, so that neighbours touch.
      first_seen: toInstant(minute * minuteMs),
      last_seen: toInstant((minute + 1) * minuteMs),
      // No key of a group or of an event begins like this, so nobody's alert can hide in the episode.
      group_key: `flood/${lengthPrefixed([source])}`,
      group: { source: source.slice(0, 256).toWellFormed() },
    },
  });
}
