import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";

import { isRunning, locked } from "../../runtime/postgres/embedded/occupants.ts";
import { CliError, exitCode } from "../exit-code.ts";
import { devInstanceFile, readDevInstance } from "../target.ts";

const answerMs = 2000;

/**
 * Notes in the folder that a pipeline runs there; disposing it takes the note back. Throws when one runs
 * there already: two would each judge a part of the same events in memory of their own, and miss what only
 * the whole shows.
 */
export async function claimFolder(directory: string, url: string): Promise<AsyncDisposable> {
  await mkdir(directory, { recursive: true }).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(`${directory}/ cannot be made here: ${reason}.`, exitCode.usage, { cause: error });
  });
  // The lock keeps two that start at the same moment apart.
  await locked(directory, randomUUID(), async () => {
    await refuseSecond();
    await writeFile(devInstanceFile, `${JSON.stringify({ url, pid: process.pid })}\n`);
  });
  return { [Symbol.asyncDispose]: () => rm(devInstanceFile, { force: true }) };
}

/** Throws when the pipeline noted in this folder runs; one that was killed left its note behind. */
export async function refuseSecond(): Promise<void> {
  const other = await readDevInstance();
  if (!other || other.pid === process.pid || !isRunning(other.pid) || !(await answers(other.url))) return;
  throw new CliError(
    `AuditFlow runs in this folder already: ${other.url} (process ${other.pid}). Stop that one first, or start in another folder.`,
    exitCode.usage,
  );
}

/** Whether something serves there; another process may have the number of one that is gone. */
async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(new URL("/livez", url), { signal: AbortSignal.timeout(answerMs) });
    await response.body?.cancel();
    return true;
  } catch {
    return false;
  }
}
