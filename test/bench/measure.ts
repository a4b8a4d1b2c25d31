/** One row of a benchmark: a figure in its own unit and its ratio to the baseline of the same run. */
export interface Row {
  readonly name: string;
  /** The median of all rounds, in `unit`. */
  readonly median: number;
  readonly unit: string;
  /** This median divided by the baseline's; 1 for the baseline itself. */
  readonly ratio: number;
  /** What is aimed for, as a bound on the ratio. */
  readonly aim?: string | undefined;
  readonly met?: boolean | undefined;
  readonly note?: string | undefined;
}

export interface Report {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** One thing to measure; the first of a list is the baseline. */
export interface Subject {
  readonly name: string;
  /** One measurement, in the unit of the benchmark. */
  readonly measure: () => number | Promise<number>;
  readonly aim?: Aim | undefined;
  readonly note?: string | undefined;
}

/** What was measured of one subject, a sample a round. */
export interface Measured extends Omit<Subject, "measure"> {
  readonly samples: readonly number[];
}

/** A bound on the ratio to the baseline. */
export interface Aim {
  readonly atMost?: number;
  readonly atLeast?: number;
}

/**
 * Measures all subjects in turn, round after round, so that whatever else the machine is doing falls on
 * all of them alike; ratios are of medians.
 */
export async function compare(
  title: string,
  {
    subjects,
    rounds,
    unit,
  }: { readonly subjects: readonly Subject[]; readonly rounds: number; readonly unit: string },
): Promise<Report> {
  const measured = subjects.map((subject) => ({ ...subject, samples: new Array<number>() }));
  for (let round = 0; round < rounds; round += 1) {
    for (const { measure, samples } of measured) samples.push(await measure());
  }
  return toReport(title, unit, measured);
}

/** The table of what was measured already; the first subject is the baseline. */
export function toReport(title: string, unit: string, measured: readonly Measured[]): Report {
  const baseline = median(measured[0]?.samples ?? []);
  const rows = measured.map(({ name, samples, aim, note }): Row => {
    const value = median(samples);
    const ratio = value / baseline;
    return {
      name,
      median: value,
      unit,
      ratio,
      note,
      aim: aim && showAim(aim),
      met: aim && isMet(ratio, aim),
    };
  });
  return { title, rows };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** The smallest value that at least this share (0 to 1) of the values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Nanoseconds of this thread's processor time for one call, over as many calls as fill about 20 ms. */
export function nanosecondsPerCall(call: () => unknown): () => number {
  let calls = 64;
  return () => {
    for (;;) {
      const before = process.threadCpuUsage();
      for (let i = 0; i < calls; i += 1) call();
      const { user, system } = process.threadCpuUsage(before);
      const spent = user + system;
      if (spent >= 20_000) return (spent * 1000) / calls;
      calls *= 2;
    }
  };
}

/** The report as aligned text. */
export function format({ title, rows }: Report): string {
  const cells = rows.map((row) => [
    row.name,
    `${digits(row.median)} ${row.unit}`,
    `${row.ratio.toFixed(2)} x`,
    row.aim === undefined ? "" : `${row.aim} ${row.met === true ? "aim met" : "aim NOT MET"}`,
    row.note ?? "",
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return [`\n${title}`, ...cells.map(line)].join("\n");
}

function digits(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function showAim({ atMost, atLeast }: Aim): string {
  return [atLeast === undefined ? [] : [`>= ${atLeast} x`], atMost === undefined ? [] : [`<= ${atMost} x`]]
    .flat()
    .join(" and ");
}

function isMet(ratio: number, { atMost = Number.POSITIVE_INFINITY, atLeast = 0 }: Aim): boolean {
  return ratio <= atMost && ratio >= atLeast;
}
