import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

import { CliError, exitCode } from "./exit-code.ts";

/** What a running `auditflow dev` leaves in `.auditflow/dev.json` for the other commands. */
const devInstance = z.object({ url: z.url(), pid: z.int().positive() });
export type DevInstance = z.infer<typeof devInstance>;

export const devInstanceFile = join(".auditflow", "dev.json");
const standardUrl = "http://localhost:8484";

/**
 * The base URL a command talks to: `--target`, else `AUDITFLOW_URL`, else the running `auditflow dev` of
 * this folder, else its standard address.
 */
export async function resolveTarget(target: string | undefined, env: NodeJS.ProcessEnv): Promise<string> {
  const given = target ?? env["AUDITFLOW_URL"];
  if (given === undefined) return (await readDevInstance())?.url ?? standardUrl;
  if (URL.canParse(given) && /^https?:/.test(given)) return given;
  throw new CliError(
    `--target "${given}" is not an address: expected http://host:port or https://host.`,
    exitCode.usage,
  );
}

/** The dev instance of this folder, if one is noted (it may be gone by now). */
export async function readDevInstance(): Promise<DevInstance | undefined> {
  const text = await readFile(devInstanceFile, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return devInstance.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Fetches from the target; an unreachable one becomes an error that says what to do. */
export async function request(url: URL, init: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(url, { signal: AbortSignal.timeout(30_000), ...init });
  } catch (error) {
    const reason =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new CliError(
      `${url.origin} cannot be reached (${reason}). Start it with \`npm start\`, or name another with --target.`,
      exitCode.unreachable,
      { cause: error },
    );
  }
}
