/** What is wrong with a routes file, and where; line and column count from 1. */
export interface RouteProblem {
  readonly severity: "error" | "warning";
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Which setting, such as `route.routes[0].match`. */
  readonly path: string;
  /** What is wrong, with the value where that is no part of a channel's settings. */
  readonly message: string;
  /** What is possible instead, where that can be said. */
  readonly allowed?: string;
}

export type PathPart = string | number;

/** One thing that is wrong, not yet placed in a file. */
export interface Finding {
  readonly path: readonly PathPart[];
  readonly message: string;
  readonly allowed?: string | undefined;
  /** The key is meant, not its value. */
  readonly atKey?: boolean;
  /** Characters into a text that stands in one line. */
  readonly offset?: number;
  readonly severity?: RouteProblem["severity"];
}

/** `route.routes[0].match`. */
export function pathText(path: readonly PathPart[]): string {
  return path
    .map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join("");
}

/** A value as a message quotes it. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
