import type { Readable, Writable } from "node:stream";

import type { ExitCode } from "./exit-code.ts";
import type { Output } from "./output.ts";

/** What a command may touch of the process it runs in. */
export interface CommandContext {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: Readable;
  /** For what is streamed; lines go to `output`. */
  readonly stdout: Writable;
  readonly output: Output;
  /** True when a person is looking at stdout. */
  readonly interactive: boolean;
  /** Aborted on Ctrl-C or SIGTERM; the reason is the signal's name. */
  readonly interrupted: AbortSignal;
  /** Sets the exit code of a command that ends without an error. */
  readonly endWith: (code: ExitCode) => void;
  readonly exitCode: () => number;
}
