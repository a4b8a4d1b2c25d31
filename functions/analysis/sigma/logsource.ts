/** The class of log a rule is written for, or an event belongs to; lower case. */
export interface Logsource {
  readonly product?: string | undefined;
  readonly category?: string | undefined;
  readonly service?: string | undefined;
}
