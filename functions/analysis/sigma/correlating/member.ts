/** An event as it counts for one group of one correlation. */
export interface Member {
  /** Its identity; an event counts once per group. */
  readonly member: string;
  /** Event time, epoch milliseconds. */
  readonly time: number;
  /** Which of `refersTo` it matches: bit i is the i-th, bit 30 also stands for all behind it. */
  readonly rules: number;
  /** `value_*`: the texts of the value fields, in their order; empty for the other types. */
  readonly values: readonly string[];
}

/** The qualifying positions of one timespan of the calendar: what one alert is raised for. */
export interface Bucket {
  /** floor(position / timespan). */
  readonly bucket: number;
  /** The first qualifying position. */
  readonly crossedAt: number;
  /** How many members the qualifying windows hold together, and the times of the first and last of them. */
  readonly count: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** The members of all the qualifying windows, by time, then by identity. */
  readonly members: readonly Member[];
}

/** The highest bit of `rules`: what comes later in `refersTo` shares it (the language refuses more where it matters). */
export const lastRuleBit = 30;

/** Whether a member matches rule `index`. */
export function matchesRule(rules: number, index: number): boolean {
  return (rules & (1 << Math.min(index, lastRuleBit))) !== 0;
}
