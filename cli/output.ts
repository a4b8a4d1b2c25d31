import { styleText } from "node:util";

/** Where a command writes: what was asked for to `out`, everything else to `err`. */
export interface Output {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  /** Colours, when stderr shows them. */
  readonly paint: Paint;
}

type Colour = "green" | "red" | "yellow" | "dim" | "bold" | "cyan";
export type Paint = (colour: Colour, text: string) => string;

/** The process's own streams; a reader that goes away (`| head`) ends the command quietly. */
export function processOutput(streams: {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}): Output {
  streams.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  return {
    out: (line) => void streams.stdout.write(`${line}\n`),
    err: (line) => void streams.stderr.write(`${line}\n`),
    paint: (colour, text) => styleText(colour, text, { stream: streams.stderr }),
  };
}

/** Columns aligned with spaces, as kubectl prints them; the last column keeps its length. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
