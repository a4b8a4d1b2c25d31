import type { AlertRow } from "../../store/read-alerts.ts";
import type { Told } from "./feed.ts";
import type { AlertChanged, Counters } from "./read-changes.ts";

/** Puts what a member is told into words of server-sent events. */
export interface Teller {
  told(told: Told): Promise<string>;
  counted(counters: Counters): string;
  reset(): string;
}

interface StreamEvent {
  readonly name: string;
  readonly data: unknown;
}

/** Each change of an alert as a few members; whoever wants more asks for the alert. */
export function createAlertTeller(): Teller {
  return {
    told: async ({ changes, cursor }) => toText(changes.map(toEvent), cursor),
    counted: (counters) => toText([{ name: "counters", data: counters }], undefined),
    reset: () => toText([{ name: "reset", data: {} }], undefined),
  };
}

function toEvent({ alert_id, merged_into, revision, status, severity, count }: AlertChanged): StreamEvent {
  return merged_into === null
    ? { name: "alert.changed", data: { alert_id, revision, status, severity, count } }
    : { name: "alert.merged", data: { alert_id, merged_into } };
}

/** Rows of the alerts with these ids, in any order. */
export type ReadRows = (ids: readonly string[]) => Promise<readonly AlertRow[]>;

/** Each change as the predecessor's row; read once for all who are told the same. */
export function createRowTeller(readRows: ReadRows): () => Teller {
  const reading = new WeakMap<readonly AlertChanged[], Promise<readonly AlertRow[]>>();

  function rowsOf(changes: readonly AlertChanged[]): Promise<readonly AlertRow[]> {
    const begun = reading.get(changes);
    if (begun) return begun;
    const ids = changes.filter(({ merged_into }) => merged_into === null).map(({ alert_id }) => alert_id);
    const rows = ids.length === 0 ? Promise.resolve([]) : readRows(ids);
    reading.set(changes, rows);
    return rows;
  }

  return () => ({
    async told({ changes, cursor }) {
      const rows = new Map((await rowsOf(changes)).map((row) => [row.alert_id, row]));
      const events = changes.flatMap(({ alert_id, merged_into }): readonly StreamEvent[] => {
        if (merged_into !== null) return [{ name: "merged", data: { alert_id, merged_into } }];
        const row = rows.get(alert_id);
        return row ? [{ name: "alert", data: row }] : [];
      });
      return toText(events, cursor);
    },
    counted: () => "",
    reset: () => "",
  });
}

/** Only the last event moves the cursor: a reader cut off in between is told all of them again. */
function toText(events: readonly StreamEvent[], cursor: string | undefined): string {
  const id = cursor === undefined ? "" : `id: ${cursor}\n`;
  if (events.length === 0) return id === "" ? "" : `${id}\n`;
  return events
    .map(({ name, data }, index) => {
      const isLast = index === events.length - 1;
      return `event: ${name}\n${isLast ? id : ""}data: ${JSON.stringify(data)}\n\n`;
    })
    .join("");
}
