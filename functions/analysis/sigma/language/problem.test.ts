import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { limits } from "./limits.ts";
import { ruleProblemCodes } from "./problem.ts";

const readme = readFileSync("rules/README.md", "utf8");

test("the README of the rules explains every code, and none that is gone", () => {
  const explained = [...readme.matchAll(/`((?:RULE|CORRELATION|FILTER)_[A-Z_]+)`/g)].map(([, code]) => code);
  expect(new Set(explained)).toEqual(new Set(ruleProblemCodes));
});

test("the README of the rules lists every limit", () => {
  for (const [name, limit] of Object.entries(limits)) expect(readme).toContain(`| \`${name}\` | ${limit} |`);
});
