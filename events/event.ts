/** The attribute values of an extension: CloudEvents String, Integer (int32) or Boolean. */
export type ExtensionValue = string | number | boolean;

/**
 * A CloudEvent 1.0: context attributes and data (CloudEvents spec §3).
 *
 * `time` is the RFC 3339 text as it was received. It is absent only on events that somebody else sent
 * without it; `createEvent` always sets it. Extensions live apart from the attributes, so that an
 * attribute added by a later version of the specification cannot be mistaken for one of ours.
 */
export interface Event<Data = unknown, Type extends string = string> {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: Type;
  readonly subject?: string | undefined;
  readonly time?: string | undefined;
  readonly datacontenttype?: string | undefined;
  readonly dataschema?: string | undefined;
  readonly extensions: Extensions;
  /** Parsed JSON when `datacontenttype` is a JSON media type, text for `text/*`, else the bytes. */
  readonly data: Data;
}

/**
 * Extension attributes by name. AuditFlow itself sets only some of the CloudEvents list: `traceparent`,
 * `tracestate`, `correlationid`, `causationid`, `partitionkey` and `severitytext`, all of them text.
 */
export type Extensions = Readonly<Record<string, ExtensionValue>>;
