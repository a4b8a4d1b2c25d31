import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { listSettings } from "../cli/doctor/settings.ts";
import { eventErrorCodes } from "../events/invalid-event.ts";
import { problems } from "../functions/generator/problem.ts";

const readme = readFileSync("README.md", "utf8");

test("the README explains every error code of events and of the public API", () => {
  const codes = [...eventErrorCodes, ...Object.keys(problems)];
  expect(codes.length).toBeGreaterThan(10);
  expect(codes.filter((code) => !readme.includes(`\`${code}\``))).toEqual([]);
});

test("the README lists every setting, and no setting that is gone", async () => {
  const names = (await listSettings()).map(({ name }) => name);
  const listed = [...readme.matchAll(/^\| `([A-Z][A-Z_]+)` \|/gm)]
    .map(([, name = ""]) => name)
    .filter(
      (name) => !/^(?:EVENT|ALERT|SOURCE|SIGNATURE|MEDIA|UNAVAILABLE|CONFIG|MIGRATION|MANIFEST)/.test(name),
    );
  expect(listed.toSorted()).toEqual(names.toSorted());
});
