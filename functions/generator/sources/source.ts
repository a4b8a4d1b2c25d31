import type { AuditRecorded } from "../../../events/contracts/audit-recorded.ts";

/** What is known of a record beside its own words. */
export interface RecordMeta {
  /** The request's headers, names in lower case; empty when the record did not come by HTTP. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** When it arrived, epoch milliseconds: the year of a date that lacks one. */
  readonly receivedAt: number;
  /** How many equal records asked before it in the same request; tells repetitions apart. Asked once. */
  readonly repetition: () => number;
}

/** An audit event made of a foreign record. Nothing in it is invented: what the record lacks is absent. */
export interface Adapted {
  /** The CloudEvents source. */
  readonly source: string;
  /** The record's own id, or one derived from its content; absent when neither would be unique. */
  readonly id?: string | undefined;
  /** When it happened, epoch milliseconds, if the record says so. */
  readonly time?: number | undefined;
  readonly data: AuditRecorded;
}

/** Turns the records of one kind of foreign log into audit events. */
export interface Source {
  /** Its route: `/sources/<name>`. */
  readonly name: string;
  /** Whether it writes JSON or lines of text. */
  readonly format: "json" | "text";
  /** Whether a record bears the marks of this source; decides where nobody named the source. */
  readonly recognises: (record: unknown) => boolean;
  /** The records of a document that holds several; any other document is one record. */
  readonly unwrap?: (document: unknown) => readonly unknown[] | undefined;
  /**
   * The events of one record: most often one. Throws RequestError SOURCE_RECORD_INVALID when it is not a
   * record of this source, EVENT_TIME_INVALID when it has a time that cannot be read.
   */
  readonly adapt: (record: unknown, meta: RecordMeta) => readonly Adapted[];
}

/** Declares a source; one file each. */
export function defineSource(source: Source): Source {
  return source;
}
