import type { Output } from "../output.ts";

/** Tells a person, or with `json` a program, how the start goes. */
export interface Stages {
  /** Runs one stage and reports it; `work` answers with a few words on what came of it. */
  run<T>(name: string, work: () => Promise<{ readonly detail: string; readonly value: T }>): Promise<T>;
  note(text: string): void;
}

/** Reports stages with their timing to stderr, or as NDJSON to stdout. */
export function createStages({
  output,
  json,
  now,
}: {
  readonly output: Output;
  readonly json: boolean;
  readonly now: () => number;
}): Stages {
  return {
    async run(name, work) {
      const started = now();
      const tell = (ok: boolean, detail: string) => {
        const ms = Math.round(now() - started);
        if (json) output.out(JSON.stringify({ stage: name, ok, detail, ms }));
        else
          output.err(
            `  ${output.paint(ok ? "green" : "red", ok ? "✓" : "✗")} ${name.padEnd(12)} ${detail}${ok ? output.paint("dim", `  ${duration(ms)}`) : ""}`,
          );
      };
      try {
        const { detail, value } = await work();
        tell(true, detail);
        return value;
      } catch (error) {
        tell(false, error instanceof Error ? error.message : String(error));
        throw error;
      }
    },
    note: (text) => (json ? undefined : output.err(text)),
  };
}

function duration(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}
