import { readFileSync } from "node:fs";
import { z } from "zod";

import type { Environment } from "../../../runtime/config.ts";

/** Where a secret is found; the secret itself is never a part of the configuration. */
export const secretReference = z
  .union(
    [
      z.strictObject({
        env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: "must be the name of a variable" }),
      }),
      z.strictObject({ file: z.string().min(1, { error: "must be the path of a file" }) }),
    ],
    {
      // Says nothing of the value: it may be the secret.
      error: "must be a reference, {env: NAME} or {file: /path}: a secret has no place in this file",
    },
  )
  .meta({ description: "a secret: the variable or the file that holds it" });
export type SecretReference = z.infer<typeof secretReference>;

/** Reads what a reference points to. Throws SecretError. */
export type ReadSecret = (reference: SecretReference) => string;

/** A secret is not there or is not what the channel needs; the message never quotes it. */
export class SecretError extends Error {
  override readonly name = "SecretError";
}

/** Says what is wrong with a secret without quoting it; `undefined`: nothing. */
export type CheckSecret = (secret: string) => string | undefined;

/** The secrets of open channels: read when needed, and struck out of whatever is kept of an answer. */
export interface Secrets {
  /**
   * A reader of the secret. Throws SecretError now if it cannot be read or fails the check, and later if it
   * no longer can: a file is read anew each time, so that a rotated secret needs no restart.
   */
  readonly open: (reference: SecretReference, check?: CheckSecret) => () => string;
  /** The text with every secret read so far replaced. */
  readonly scrub: (text: string) => string;
}

/** Reads references from the given environment and from files. */
export function createReadSecret(env: Environment): ReadSecret {
  return (reference) => {
    const value = "env" in reference ? env[reference.env] : readFile(reference.file);
    const secret = value?.trim();
    if (!secret) throw new SecretError(`${describeReference(reference)} is not set, or empty.`);
    return secret;
  };
}

/** How a reference is named to people: `the variable NAME`, `the file /path`. */
export function describeReference(reference: SecretReference): string {
  return "env" in reference ? `the variable ${reference.env}` : `the file ${reference.file}`;
}

/** Keeps track of what was read through `read`, so that it can be struck out. */
export function createSecrets(read: ReadSecret): Secrets {
  const known = new Set<string>();

  function readChecked(reference: SecretReference, check: CheckSecret | undefined): string {
    const secret = read(reference);
    const problem = check?.(secret);
    if (problem !== undefined) throw new SecretError(`${describeReference(reference)} ${problem}.`);
    for (const part of revealing(secret)) known.add(part);
    return secret;
  }

  return {
    open(reference, check) {
      readChecked(reference, check);
      return () => readChecked(reference, check);
    },
    scrub(text) {
      const longestFirst = [...known].toSorted((a, b) => b.length - a.length);
      return longestFirst.reduce((scrubbed, secret) => scrubbed.replaceAll(secret, "(secret)"), text);
    },
  };
}

/** A secret that is a URL; its path and query alone give it away, too. */
export function checkSecretUrl(secret: string): string | undefined {
  const url = URL.parse(secret);
  if (url !== null && /^https?:$/.test(url.protocol)) return undefined;
  return "does not hold an address, http:// or https://";
}

/** Hosts whose addresses are secrets, because whoever knows the address may post to it. */
const secretHosts =
  /(?:^|\.)(?:hooks\.slack\.com|webhook\.office\.com|logic\.azure\.com|powerplatform\.com|outlook\.office\.com)$|(?:^|\.)discord(?:app)?\.com$|^api\.telegram\.org$/;

/** An address that may stand in a file: without credentials, and not one that is itself a secret. */
export const plainUrl = addressSetting((url) =>
  secretHosts.test(url.hostname) ? "is itself a secret: whoever knows it may post" : undefined,
);

/** The address of an API, which needs a secret besides. */
export const plainApiUrl = addressSetting(() => undefined);

/** An http or https address without credentials; the problem never quotes it. */
function addressSetting(check: (url: URL) => string | undefined) {
  return z
    .url({ protocol: /^https?$/, error: "is not an address, http:// or https://" })
    .superRefine((text, context) => {
      const url = URL.parse(text);
      if (url === null) return;
      const problem = url.username !== "" || url.password !== "" ? "holds credentials" : check(url);
      if (problem === undefined) return;
      context.addIssue({
        code: "custom",
        message: `${problem}; give a reference instead, {env: NAME} or {file: /path}`,
      });
    });
}

function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new SecretError(`the file ${path} cannot be read (${code}).`, { cause });
  }
}

/** What would give a secret away when it is repeated: all of it, as it stands in a URL, or a URL's path. */
function revealing(secret: string): readonly string[] {
  const url = URL.parse(secret);
  const parts =
    url === null
      ? []
      : [url.href, `${url.pathname}${url.search}`, ...url.pathname.split("/"), ...url.searchParams.values()];
  // Nothing as short as that is a secret, and striking it out would make the text unreadable.
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), ...parts].filter(
    (part) => part.length >= 8,
  );
}
