import { alertRaised } from "../../../events/contracts/alert-raised.ts";
import type { Event } from "../../../events/event.ts";
import { parseInstant } from "../../../events/time.ts";
import type { BucketMembers, WindowName } from "../../../runtime/state/state.ts";
import { toMember } from "./step.ts";

/** A bucket an event qualified. */
export interface Raised {
  readonly step: WindowName;
  readonly bucket: number;
  readonly alertId: string;
  /** Whether it was evaluated from the ledger. */
  readonly late: boolean;
}

/** Members of a bucket that the ledger now holds as evidence of its alert. */
export type RecordedMembers = BucketMembers & Pick<Raised, "step" | "late">;

/**
 * What may be confirmed: exactly the evidence that is recorded. When two runs of an event race, the
 * ledger keeps the first one's alerts; confirming what the other one saw would lose evidence.
 */
export function recordedMembers(
  raised: readonly Raised[],
  recorded: readonly Event[],
): readonly RecordedMembers[] {
  const known = new Map(raised.map((entry) => [entry.alertId, entry]));
  return recorded.flatMap((event) => {
    const alert = alertRaised.data.safeParse(event.data);
    const entry = alert.success ? known.get(alert.data.alert_id) : undefined;
    if (!entry) return [];
    const members = (alert.data?.evidence ?? []).map(({ source, id, time }) => ({
      member: toMember({ source, id }),
      time: parseInstant(time) ?? 0,
    }));
    return [{ step: entry.step, late: entry.late, bucket: entry.bucket, members }];
  });
}
