import type { AuditRecorded } from "../../../events/contracts/audit-recorded.ts";
import { refuseRecord } from "./record.ts";

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
  /** Of a source that writes text: it may be set to write JSON, so that is taken too. */
  readonly alsoJson?: boolean;
  /** Lines with the same key are one record: their text, joined by line feeds. A line without is one alone. */
  readonly keyOfLine?: (line: string) => string | undefined;
  /** Whether a record bears the marks of this source; decides where nobody named the source. */
  readonly recognises: (record: unknown) => boolean;
  /** The records of a document that holds several; any other document is one record. */
  readonly unwrap?: (document: unknown) => readonly unknown[] | undefined;
  /**
   * What to answer a GET with, by which a sender makes sure that its events are wanted here; `undefined`
   * when the request, whose headers are given, is not such a question.
   */
  readonly verify?: (headers: RecordMeta["headers"]) => object | undefined;
  /**
   * The events of one record: most often one. Throws RequestError SOURCE_RECORD_INVALID when it is not a
   * record of this source, EVENT_TIME_INVALID when it has a time that cannot be read.
   */
  readonly adapt: (record: unknown, meta: RecordMeta) => readonly Adapted[];
}

/**
 * The `adapt` of a source whose records have one shape and make one event each; `expected` says what they
 * are, to whoever sends another one.
 */
export function adaptOne<Shape>(
  isShape: (record: unknown) => record is Shape,
  expected: string,
  adapt: (record: Shape, meta: RecordMeta) => Adapted,
): Source["adapt"] {
  return (record, meta) => {
    if (!isShape(record)) throw refuseRecord(record, expected);
    return [adapt(record, meta)];
  };
}

/** Declares a source; one file each. */
export function defineSource(source: Source): Source {
  return source;
}
