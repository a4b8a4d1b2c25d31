import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";

import { UnavailableError } from "../failure.ts";
import { createLog } from "../log.ts";
import { AccessError } from "./access.ts";
import { hashSecret, isHashOf } from "./hash.ts";
import type { StoredKey } from "./key-store.ts";
import { createKeys } from "./keys.ts";
import { createToken, type Token } from "./token.ts";

const log = createLog({ name: "test", level: "silent" });
const randomHex = (bytes: number) => randomBytes(bytes).toString("hex");
const admit = () => {};

/** Keys over a store in memory, with what it was asked. */
function setUp(fields: Partial<StoredKey> = {}) {
  const token = createToken(randomHex);
  const rows = new Map<string, StoredKey>();
  const asked: string[] = [];
  const noted: string[] = [];
  const compared: string[] = [];
  const row: StoredKey = {
    key_id: "k1",
    name: "falco",
    scopes: ["responder"],
    hash: token.text,
    state: "active",
    isUseUnnoted: false,
    ...fields,
  };
  rows.set(token.prefix, row);
  const keys = createKeys({
    store: {
      async find(prefix) {
        asked.push(prefix);
        return rows.get(prefix);
      },
      noteUse: async (id) => void noted.push(id),
    },
    log,
    async isHashOf(hash, text) {
      compared.push(text);
      await Promise.resolve();
      return hash === text;
    },
  });
  return { keys, token, rows, row, asked, noted, compared };
}

/** A token of the same prefix with another secret. */
function guess({ prefix }: Token): string {
  return createToken((bytes) =>
    bytes === 6 ? BigInt.asUintN(48, toNumber(prefix)).toString(16).padStart(12, "0") : randomHex(bytes),
  ).text;
}

function toNumber(base36: string): bigint {
  return Array.from(base36).reduce((sum, digit) => sum * 36n + BigInt(Number.parseInt(digit, 36)), 0n);
}

test("a right key is its owner, with the scopes that follow from the key's", async () => {
  const { keys, token } = setUp();
  const principal = await keys.check(token.text, admit);
  expect([principal.type, principal.id, [...principal.scopes].toSorted()]).toEqual([
    "key",
    "falco",
    ["responder", "viewer"],
  ]);
});

test("the row is read every time, and scrypt is asked once", async () => {
  const { keys, token, asked, compared } = setUp();
  for (let count = 0; count < 5; count += 1) await keys.check(token.text, admit);
  await Promise.all(Array.from({ length: 5 }, () => keys.check(token.text, admit)));
  expect([asked.length, compared.length]).toEqual([10, 1]);
});

test("a revoked or expired key is refused at once, and only its owner is told which", async () => {
  const { keys, token, rows, row } = setUp();
  await keys.check(token.text, admit);
  for (const state of ["revoked", "expired"] as const) {
    rows.set(token.prefix, { ...row, state });
    await expect(keys.check(token.text, admit)).rejects.toThrow(`The API key is ${state}.`);
    await expect(keys.check(guess(token), admit)).rejects.toThrow("The API key is not valid.");
  }
});

describe("a wrong key", () => {
  test("costs one scrypt, also when it comes many times at once", async () => {
    const { keys, token, compared } = setUp();
    const wrong = guess(token);
    const tries = Array.from({ length: 20 }, () => keys.check(wrong, admit));
    await Promise.allSettled(tries);
    await expect(keys.check(wrong, admit)).rejects.toThrow(AccessError);
    expect(compared).toEqual([wrong]);
  });

  test("with an unknown prefix costs a look at the table, and a mistyped one not even that", async () => {
    const { keys, token, asked, compared } = setUp();
    const stranger = createToken(randomHex);
    await expect(keys.check(stranger.text, admit)).rejects.toThrow("not valid");
    await expect(keys.check(`${token.text.slice(0, -1)}!`, admit)).rejects.toThrow("mistyped");
    expect([asked, compared]).toEqual([[stranger.prefix], []]);
  });

  test("is not looked at when its sender is not admitted; a key found right before is", async () => {
    const { keys, token, asked, compared } = setUp();
    await keys.check(token.text, admit);
    const refuse = () => {
      throw new AccessError("TOO_MANY_FAILURES", "too many");
    };
    await expect(keys.check(guess(token), refuse)).rejects.toThrow("too many");
    await keys.check(token.text, refuse);
    expect([asked.length, compared.length]).toEqual([2, 1]);
  });

  test("of which too many wait is put off, not checked", async () => {
    const { keys, token, compared } = setUp();
    const tries = Array.from({ length: 100 }, () => keys.check(guess(token), admit));
    const reasons = (await Promise.allSettled(tries)).map((result) =>
      result.status === "rejected" && result.reason instanceof UnavailableError ? "away" : "wrong",
    );
    // Two are checked at a time and 64 wait.
    expect(reasons.filter((reason) => reason === "away")).toHaveLength(34);
    expect(compared).toHaveLength(66);
  });
});

test("that a key is used is noted beside the request, and a failure to does no harm", async () => {
  const { keys, token, noted, rows, row } = setUp({ isUseUnnoted: true });
  await Promise.all([keys.check(token.text, admit), keys.check(token.text, admit)]);
  await keys[Symbol.asyncDispose]();
  expect(noted).toEqual(["k1"]);
  rows.set(token.prefix, { ...row, isUseUnnoted: false });
  await keys.check(token.text, admit);
  expect(noted).toEqual(["k1"]);
});

test("a hash fits its secret alone, tells its cost, and is another one each time", async () => {
  const [first, second] = [await hashSecret("secret"), await hashSecret("secret")];
  expect(first).toMatch(/^\$scrypt\$ln=14,r=8,p=1\$/);
  expect(first).not.toBe(second);
  expect([await isHashOf(first, "secret"), await isHashOf(first, "Secret")]).toEqual([true, false]);
  expect(await isHashOf("$scrypt$ln=30,r=8,p=1$c2FsdA$" + "A".repeat(43), "secret")).toBe(false);
  expect(await isHashOf("secret", "secret")).toBe(false);
});
