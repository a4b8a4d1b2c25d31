/** How `auditflow` ends; scripts rely on these, so they never change their meaning. */
export const exitCode = {
  ok: 0,
  /** Something unexpected broke. */
  failure: 1,
  /** The command line or the configuration is wrong; nothing was done. */
  usage: 2,
  /** The check ran and found problems. */
  problems: 3,
  /** The system could not be reached or did not answer in time; trying again may help. */
  unreachable: 4,
  /** Not authenticated, or not allowed to. */
  denied: 5,
  notFound: 6,
  /** Somebody else changed it first, or its state does not allow it. */
  conflict: 7,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** An error whose message is all the user needs; it is printed without a stack. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
