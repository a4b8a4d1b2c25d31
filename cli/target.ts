import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

import { isExposed } from "../runtime/exposure.ts";
import { CliError, exitCode } from "./exit-code.ts";

/** What a running `auditflow dev` leaves in `.auditflow/dev.json` for the other commands. */
const devInstance = z.object({
  // A folder from somebody else may hold one, too: a token must not follow it to another machine.
  url: z.url({ protocol: /^http$/ }).refine((url) => !isExposed(hostOf(url))),
  pid: z.int().positive(),
});
export type DevInstance = z.infer<typeof devInstance>;

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[(.*)\]$/, "$1");
}

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

/** Where a command sends its requests, and what says who it is. */
export interface Target {
  readonly base: string;
  /** `authorization`, when there is a token. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface TargetOptions {
  readonly target?: string;
  readonly tokenFile?: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * The target with the token of `--token-file` or `AUDITFLOW_TOKEN`. A token never comes from an argument,
 * where others could read it.
 */
export async function openTarget({ target, tokenFile, env }: TargetOptions): Promise<Target> {
  const base = await resolveTarget(target, env);
  const token = tokenFile === undefined ? env["AUDITFLOW_TOKEN"] : await readToken(tokenFile);
  return { base, headers: token ? { authorization: `Bearer ${token}` } : {} };
}

async function readToken(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(`--token-file "${file}" cannot be read (${reason}).`, exitCode.usage);
  }
}

/** Said with an answer that asks who is calling. */
export const tokenHint = "Give a token with --token-file or AUDITFLOW_TOKEN.";

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
