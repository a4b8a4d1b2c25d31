import { ConfigError } from "./config.ts";

/**
 * Tells on standard error why a process cannot go on, and answers with the code it should exit with: what
 * a person can mend as it is, anything else with its stack.
 */
export function reportFailure(error: unknown): number {
  const readable = error instanceof ConfigError;
  const text =
    error instanceof Error ? (readable ? error.message : (error.stack ?? error.message)) : "unknown";
  process.stderr.write(`${text}\n`);
  return readable ? error.exitCode : 1;
}
