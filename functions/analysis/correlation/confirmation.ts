import { alertRaised } from "../../../events/contracts/alert-raised.ts";
import type { Event } from "../../../events/event.ts";
import { parseInstant } from "../../../events/time.ts";
import type { BucketMembers } from "../../../runtime/state/state.ts";
import type { Evaluated } from "./evaluate.ts";
import { toMember } from "./step.ts";

/** A bucket an event qualified. */
export interface Raised extends Pick<Evaluated, "window" | "source"> {
  readonly bucket: number;
  readonly alertId: string;
}

/** Members of a bucket that the ledger now holds as evidence of its alert. */
export type RecordedMembers = BucketMembers & Pick<Raised, "window" | "source">;

/** What an event raised, and for which alerts its emissions stand that tell of others, by their own ids. */
interface Told {
  readonly raised: readonly Raised[];
  readonly standsFor: ReadonlyMap<string, string | undefined>;
}

/**
 * What may be confirmed: exactly the evidence that is recorded. When two runs of an event race, the
 * ledger keeps the first one's alerts; confirming what the other one saw would lose evidence.
 */
export function recordedMembers(
  { raised, standsFor }: Told,
  recorded: readonly Event[],
): readonly RecordedMembers[] {
  const known = new Map(raised.map((entry) => [entry.alertId, entry]));
  return recorded.flatMap((event) => {
    const alert = alertRaised.data.safeParse(event.data);
    const entry = alert.success ? known.get(standsFor.get(event.id) ?? alert.data.alert_id) : undefined;
    if (!entry) return [];
    const members = (alert.data?.evidence ?? []).map(({ source, id, time }) => ({
      member: toMember({ source, id }),
      time: parseInstant(time) ?? 0,
    }));
    const { window, source, bucket } = entry;
    return [{ window, source, bucket, members }];
  });
}
