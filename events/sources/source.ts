import type { Logsource } from "../logsource.ts";
import type { OcsfMapping } from "./ocsf.ts";

/**
 * Field names that rules use -> where the value is: a dotted path in the event as rules see it, through
 * arrays. Of several paths, every one that leads somewhere counts.
 */
export type FieldMap = Readonly<Record<string, string | readonly string[]>>;

/** What some records of a source have beside what all of them have. */
export interface SourceVariant {
  /** What these records assert beside the log source of all. */
  readonly logsource: Logsource;
  readonly fields?: FieldMap;
  readonly known?: readonly string[];
}

/** What is to know about the records of one log source, as plain data; one file each. */
export interface SourceDescription {
  readonly name: string;
  readonly title: string;
  /** The log source every record asserts. */
  readonly logsource: Logsource;
  readonly variants?: readonly SourceVariant[];
  readonly ocsf: OcsfMapping;
  /** Names of objects whose members are fields of their own, such as Falco's `output_fields`. */
  readonly lift?: readonly string[];
  readonly fields: FieldMap;
  /** The fields rules may use; `requestParameters.*` stands for the field and everything below it. */
  readonly known: readonly string[];
}

/** Declares a source; the registry lists them. */
export function defineSourceDescription(description: SourceDescription): SourceDescription {
  return description;
}

/** The words of a text; a long list of names is easier to read and to change as one. */
export function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
