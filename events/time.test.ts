import { describe, expect, test } from "vitest";

import { isRfc3339, parseInstant, toInstant } from "./time.ts";

describe("RFC 3339", () => {
  test.for([
    "2026-11-21T12:00:00Z",
    "2026-11-21t12:00:00z",
    "2026-11-21T12:00:00.123456789+05:30",
    "2024-02-29T00:00:00-00:00",
    "2000-02-29T00:00:00Z",
    "1990-12-31T23:59:60Z",
    "0000-01-01T00:00:00Z",
  ])("%s is a date and time", (text) => {
    expect(isRfc3339(text)).toBe(true);
  });

  test.for([
    "",
    "2026-11-21",
    "2026-11-21 12:00:00Z",
    "2026-11-21T12:00Z",
    "2026-11-21T12:00:00",
    "2026-11-21T12:00:00.Z",
    "2026-11-21T12:00:00.Zx",
    "2026-11-21T12:00:00,5Z",
    "2026-11-21T12:00:00+0530",
    "2026-11-21T12:00:00+05:30Z",
    "2026-11-21T12:00:00+24:00",
    "2026-11-21T12:00:00+05:60",
    "2026-11-21T24:00:00Z",
    "2026-11-21T12:60:00Z",
    "2026-11-21T12:00:61Z",
    "2026-00-21T12:00:00Z",
    "2026-13-21T12:00:00Z",
    "2026-02-29T12:00:00Z",
    "1900-02-29T12:00:00Z",
    "2026-04-31T12:00:00Z",
    "2026-11-00T12:00:00Z",
    "2026-11-21T1x:00:00Z",
    "-026-11-21T12:00:00Z",
    "2026-11-21T12:00:00Z ",
    "٢٠٢٦-11-21T12:00:00Z",
  ])("'%s' is none", (text) => {
    expect(isRfc3339(text)).toBe(false);
  });
});

describe("an instant", () => {
  const noon = Date.UTC(2026, 10, 21, 12);
  test.for([
    ["2026-11-21T12:00:00Z", noon],
    ["2026-11-21T12:00:00.250Z", noon + 250],
    ["2026-11-21 12:00:00Z", noon],
    ["2026-11-21T13:00:00+01:00", noon],
    ["2026-11-21T13:00:00+0100", noon],
    ["2026-11-21T12:00:00+00:00Z", noon],
    ["2026-11-21T12:00:00", noon],
    ["2026-11-21T12:00", noon],
    ["2026-11-21 12:00:00 UTC", noon],
    [" 2026-11-21T12:00:00Z ", noon],
    ["2026-11-21T11:59:60Z", noon],
    [noon, noon],
    [noon / 1000, noon],
    [noon / 1000 + 0.25, noon + 250],
  ] as const)("is read from %s", ([value, expected]) => {
    expect(parseInstant(value)).toBe(expected);
  });

  test.for([
    ["yesterday"],
    [""],
    ["2026-02-30T12:00:00Z"],
    ["2026-11-21T25:00:00Z"],
    ["2026-11-21T12:00:00+99:00"],
    ["21.11.2026"],
    [`2026-11-21T12:00:00.${"0".repeat(60)}Z`],
    [0],
    [-1],
    [NaN],
    [Infinity],
    [1e300],
    [null],
    [undefined],
    [{}],
    [true],
  ] as const)("is not read from %s", ([value]) => {
    expect(parseInstant(value)).toBeUndefined();
  });

  test("is written with milliseconds and one Z", () => {
    expect(toInstant(noon)).toBe("2026-11-21T12:00:00.000Z");
  });
});
