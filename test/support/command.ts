import { Readable, Writable } from "node:stream";

import { run } from "../../cli/main.ts";

/** What a command line printed and how it ended. */
export interface CommandResult {
  readonly exitCode: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

export interface CommandOptions {
  readonly stdin?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly interrupted?: AbortSignal;
}

/** Runs `auditflow ...argv` in this process, without colours. */
export async function runCommand(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const out: string[] = [];
  const err: string[] = [];
  let code = 0;
  const exitCode = await run(argv, {
    env: options.env ?? {},
    stdin: Readable.from([options.stdin ?? ""]),
    stdout: new Writable({
      write(chunk: Buffer, _encoding, done) {
        out.push(...chunk.toString().replace(/\n$/, "").split("\n"));
        done();
      },
    }),
    output: {
      out: (line) => void out.push(line),
      err: (line) => void err.push(line),
      paint: (_colour, text) => text,
    },
    interactive: false,
    interrupted: options.interrupted ?? new AbortController().signal,
    endWith: (value) => void (code = value),
    exitCode: () => code,
  });
  return { exitCode, out, err };
}
