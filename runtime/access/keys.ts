import { createHash } from "node:crypto";

import type { Log } from "../log.ts";
import { AccessError, type Principal } from "./access.ts";
import { createBoundedMap } from "./bounded.ts";
import { isHashOf } from "./hash.ts";
import type { KeyStore, StoredKey } from "./key-store.ts";
import { createQueue } from "./queue.ts";
import { grant } from "./scopes.ts";
import { parseToken, type Token } from "./token.ts";

/** Verdicts that are remembered. Wrong tokens are kept apart, so that they cannot crowd out right ones. */
const remembered = { right: 1000, wrong: 10_000 } as const;

export interface KeysDeps {
  readonly store: Pick<KeyStore, "find" | "noteUse">;
  readonly log: Log;
  /** For tests that count; scrypt when left out. */
  readonly isHashOf?: typeof isHashOf;
}

/** Checks API keys. Disposing it waits for what it still notes in the store. */
export interface Keys extends AsyncDisposable {
  /**
   * Whose key it is; throws AccessError CREDENTIAL_INVALID when it is wrong, expired or revoked, and
   * UnavailableError while the store is away. `admit` is called before anything that costs the server
   * work for a token that was not found right before; it may throw.
   */
  check(text: string, admit: () => void): Promise<Principal>;
}

/**
 * The row of a key is read for every request, so that a revoked key is refused at once; what scrypt said
 * of a token is remembered, by the id of the key and the SHA-256 of the token.
 */
export function createKeys({ store, log, isHashOf: compare = isHashOf }: KeysDeps): Keys {
  const verify = createVerifier(compare);
  const noting = new Map<string, Promise<void>>();

  function noteUse({ key_id, isUseUnnoted }: StoredKey): void {
    if (!isUseUnnoted || noting.has(key_id)) return;
    const noted = store
      .noteUse(key_id)
      .catch((error: unknown) => log.debug({ err: error, key_id }, "the use of a key was not noted"))
      .finally(() => noting.delete(key_id));
    noting.set(key_id, noted);
  }

  return {
    async check(text, admit) {
      const token = parseToken(text);
      if (token === undefined) throw invalid("The API key is incomplete or mistyped.");
      if (!verify.isKnown(token)) admit();
      const key = await store.find(token.prefix);
      // Only whoever has the secret is told more than this.
      if (key === undefined || !(await verify.isRight(key, token)))
        throw invalid("The API key is not valid.");
      if (key.state !== "active") throw invalid(`The API key is ${key.state}.`);
      noteUse(key);
      return { type: "key", id: key.name, scopes: grant(key.scopes) };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(noting.values());
    },
  };
}

/** Runs scrypt at most once for a token, and for few tokens at a time. */
function createVerifier(compare: typeof isHashOf) {
  const right = createBoundedMap<true>(remembered.right);
  const wrong = createBoundedMap<true>(remembered.wrong);
  // Which key a token was right for, so that it is known before the row is read.
  const known = createBoundedMap<true>(remembered.right);
  const running = new Map<string, Promise<boolean>>();
  const queue = createQueue({ atOnce: 2, waiting: 64 });

  async function compute({ hash }: StoredKey, { text }: Token, name: string): Promise<boolean> {
    const isRight = await queue(() => compare(hash, text));
    (isRight ? right : wrong).set(name, true);
    return isRight;
  }

  return {
    isKnown: ({ text }: Token) => known.get(digest(text)) === true,
    async isRight(key: StoredKey, token: Token): Promise<boolean> {
      const sha = digest(token.text);
      const name = `${key.key_id} ${key.hash} ${sha}`;
      if (wrong.get(name)) return false;
      const verdict = right.get(name) ?? (await once(running, name, () => compute(key, token, name)));
      if (verdict) known.set(sha, true);
      return verdict;
    },
  };
}

/** Everybody who asks for the same at the same time gets the one answer. */
function once<T>(running: Map<string, Promise<T>>, name: string, work: () => Promise<T>): Promise<T> {
  const begun = running.get(name);
  if (begun) return begun;
  const promise = work().finally(() => running.delete(name));
  running.set(name, promise);
  return promise;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

function invalid(message: string): AccessError {
  return new AccessError("CREDENTIAL_INVALID", message);
}
