import * as fc from "fast-check";
import { expect, test } from "vitest";

import { base64, base64offsetBytes, base64offsets, utf16, utf8 } from "./encoding.ts";

const bytes = (minLength: number) => fc.uint8Array({ minLength, maxLength: 20 });

test("base64 is RFC 4648", () => {
  fc.assert(
    fc.property(bytes(0), (value) => {
      expect(base64(value)).toBe(Buffer.from(value).toString("base64"));
    }),
  );
});

test("whatever stands before and after, one of the three offsets occurs", () => {
  fc.assert(
    fc.property(bytes(0), bytes(base64offsetBytes), bytes(0), (before, value, after) => {
      const whole = base64(new Uint8Array([...before, ...value, ...after]));
      expect(whole).toContain(base64offsets(value)[before.length % 3]);
    }),
  );
});

test("no offset is empty, or it would occur everywhere", () => {
  fc.assert(
    fc.property(bytes(base64offsetBytes), (value) => {
      expect(base64offsets(value).map(({ length }) => length > 0)).toEqual([true, true, true]);
    }),
  );
});

test("UTF-16 has two bytes for each unit, in the order asked for", () => {
  expect([...utf16("é", "wide")]).toEqual([0xe9, 0]);
  expect([...utf16("é", "utf16be")]).toEqual([0, 0xe9]);
  expect([...utf16("é", "utf16")]).toEqual([0xff, 0xfe, 0xe9, 0]);
  fc.assert(
    fc.property(fc.array(fc.nat(0xffff)), (units) => {
      const text = String.fromCharCode(...units);
      expect(Buffer.from(utf16(text, "wide")).toString("utf16le")).toBe(text);
    }),
  );
});

test("UTF-8 counts bytes, not characters", () => {
  expect(utf8("é😀")).toHaveLength(6);
});
