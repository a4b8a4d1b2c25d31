import fc from "fast-check";

import type { Event, ExtensionValue } from "../../events/event.ts";

/** Property tests are repeatable: fast-check prints the seed and the path of a failure. */
const contextAttributes = new Set([
  "specversion",
  "id",
  "source",
  "type",
  "subject",
  "time",
  "datacontenttype",
  "dataschema",
  "data",
]);

const character = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 1 }) },
  { weight: 2, arbitrary: fc.constantFrom("%", '"', " ", "\\", "%41", "%zz", "é", "€", "\u{1f600}") },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme-composite", minLength: 1, maxLength: 1 }) },
);

/** A CloudEvents String that is not empty. */
export const attributeText: fc.Arbitrary<string> = fc
  .string({ unit: character, minLength: 1, maxLength: 24 })
  .filter((text) => text.isWellFormed() && !/[\p{Control}\p{Noncharacter_Code_Point}]/u.test(text));

const segment = fc.string({
  unit: fc.constantFrom(
    "a",
    "Z",
    "7",
    "-",
    ".",
    "_",
    "~",
    "!",
    "$",
    "&",
    "'",
    "(",
    "+",
    ",",
    ";",
    "=",
    ":",
    "@",
    "%C3%BC",
    "%20",
    "%25",
  ),
  minLength: 1,
  maxLength: 8,
});

const uriReference = fc.oneof(
  fc.constantFrom(
    "/my/app",
    "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
    "1-555-123-4567",
    "mailto:a@b.example",
    "//host/x?y#z",
    "?q=1",
  ),
  fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join("/")}`),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
);

const time = fc
  .tuple(
    fc.date({
      min: new Date("0001-01-01T00:00:00Z"),
      max: new Date("9999-12-30T00:00:00Z"),
      noInvalidDate: true,
    }),
    fc.constantFrom("Z", "z", "+05:30", "-23:59"),
    fc.constantFrom("", ".1", ".123456789"),
  )
  .map(([date, offset, fraction]) => date.toISOString().slice(0, 19) + fraction + offset);

const extensionName = fc
  .string({
    unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz0123456789".split("")),
    minLength: 1,
    maxLength: 20,
  })
  .filter((name) => !contextAttributes.has(name));

const extensionValue: fc.Arbitrary<ExtensionValue> = fc.oneof(
  attributeText,
  fc.constant(""),
  fc.boolean(),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
);

/** Any JSON value an event may carry: no negative zero, which JSON.stringify does not keep, no `__proto__`. */
export const jsonData: fc.Arbitrary<unknown> = fc
  .jsonValue({ stringUnit: "binary", maxDepth: 5 })
  .filter((value) => !JSON.stringify(value).includes("__proto__"))
  .map((value): unknown => JSON.parse(JSON.stringify(value)));

const typedData: fc.Arbitrary<Pick<Event, "data" | "datacontenttype">> = fc.oneof(
  fc.record({
    datacontenttype: fc.constantFrom(
      "application/json",
      "Application/JSON; charset=UTF-8",
      "text/json",
      "a/b+json",
    ),
    data: fc.option(jsonData, { nil: undefined }),
  }),
  fc.record({
    datacontenttype: fc.constantFrom("text/plain", 'text/csv; header="a;b"', "TEXT/plain;charset=utf-8"),
    data: fc.option(fc.string({ unit: "binary" }), { nil: undefined }),
  }),
  fc.record({
    datacontenttype: fc.constantFrom(
      "application/octet-stream",
      "application/xml",
      "text/plain; charset=iso-8859-1",
    ),
    data: fc.option(
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      { nil: undefined },
    ),
  }),
  fc.constant({ data: undefined, datacontenttype: undefined }),
);

/** Any valid event whose data has a stated media type, or that has neither. */
export const validEvent: fc.Arbitrary<Event> = fc
  .tuple(
    fc.record({
      specversion: fc.constant("1.0" as const),
      id: attributeText,
      source: uriReference,
      type: attributeText,
      subject: fc.option(attributeText, { nil: undefined }),
      time: fc.option(time, { nil: undefined }),
      dataschema: fc.option(fc.constantFrom("https://example.com/a%20b.json#/x", "urn:x:y"), {
        nil: undefined,
      }),
      extensions: fc.dictionary(extensionName, extensionValue, { maxKeys: 5, noNullPrototype: true }),
    }),
    typedData,
  )
  .map(([context, data]) => ({ ...context, ...data }));
