import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";

import { createToken, parseToken } from "./token.ts";

const randomHex = (bytes: number) => randomBytes(bytes).toString("hex");

test("a token is read as it was made, and no two are alike", () => {
  const tokens = Array.from({ length: 200 }, () => createToken(randomHex));
  for (const token of tokens) expect(parseToken(token.text)).toEqual(token);
  expect(new Set(tokens.map(({ prefix }) => prefix)).size).toBe(200);
  expect(tokens[0]?.text).toMatch(/^af_[0-9a-z]{10}_[0-9a-z]{50}_[0-9a-z]{7}$/);
});

test("the least and the most chance make tokens of the same width", () => {
  for (const fill of ["00", "ff"]) {
    const token = createToken((bytes) => fill.repeat(bytes));
    expect([token.text.length, parseToken(token.text)]).toEqual([72, token]);
  }
});

test("with any one character wrong, missing or added it is no token", () => {
  const { text } = createToken(randomHex);
  for (let at = 0; at < text.length; at += 1) {
    const other = text[at] === "a" ? "b" : "a";
    expect(parseToken(text.slice(0, at) + other + text.slice(at + 1))).toBeUndefined();
    expect(parseToken(text.slice(0, at) + text.slice(at + 1))).toBeUndefined();
    expect(parseToken(`${text.slice(0, at)}0${text.slice(at)}`)).toBeUndefined();
  }
});
