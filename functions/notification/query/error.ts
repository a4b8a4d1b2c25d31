/** Where in a query's text something is: UTF-16 code units from 0, as in a JavaScript string. */
export interface Span {
  readonly position: number;
  readonly length: number;
}

/** A query that cannot be read: where, what was expected there and, where it is near, what was meant. */
export class QueryError extends Error implements Span {
  readonly position: number;
  readonly length: number;
  readonly expected: string;
  readonly suggestion?: string;

  constructor(found: string, { position, length }: Span, { expected, suggestion }: Expectation) {
    const hint = suggestion === undefined ? "" : ` Did you mean ${suggestion}?`;
    super(`${found} at character ${position + 1}: expected ${expected}.${hint}`);
    this.name = "QueryError";
    this.position = position;
    this.length = length;
    this.expected = expected;
    if (suggestion !== undefined) this.suggestion = suggestion;
  }
}

export interface Expectation {
  /** Completes "expected …". */
  readonly expected: string;
  readonly suggestion?: string | undefined;
}
