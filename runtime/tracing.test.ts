import { expect, test } from "vitest";

import { continueTrace, parseTraceparent, toTraceparent } from "./tracing.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const fives = (bytes: number) => "5".repeat(bytes * 2);
const zeros = (bytes: number) => "0".repeat(bytes * 2);

test.for([`00-${traceId}-${spanId}-01`, `cc-${traceId}-${spanId}-01-what-the-future-brings`])(
  "%s is a traceparent",
  (value) => {
    expect(parseTraceparent(value)).toEqual({ traceId, spanId, flags: "01" });
  },
);

test.for([
  undefined,
  5,
  "",
  ` 00-${traceId}-${spanId}-01`,
  `00-${traceId}-${spanId}-01-more`,
  `ff-${traceId}-${spanId}-01`,
  `00-${traceId.toUpperCase()}-${spanId}-01`,
  `00-${"0".repeat(32)}-${spanId}-01`,
  `00-${traceId}-${"0".repeat(16)}-01`,
  `00-${traceId}-${spanId}-1`,
  `00-${traceId}-${spanId}-01\n`,
])("%j is none", (value) => {
  expect(parseTraceparent(value)).toBeUndefined();
});

test.for([
  [
    "the header",
    { traceparent: `00-${traceId}-${spanId}-01` },
    { traceparent: `00-${"1".repeat(32)}-${spanId}-00` },
  ],
  [
    "the extension when there is no valid header",
    { traceparent: "x" },
    { traceparent: `00-${traceId}-${spanId}-01` },
  ],
] as const)("%s is continued, under a span of our own", ([, headers, extensions]) => {
  const trace = continueTrace({ headers, extensions }, fives);
  expect(toTraceparent(trace)).toBe(`00-${traceId}-5555555555555555-01`);
});

test("without either a trace begins, not sampled", () => {
  expect(toTraceparent(continueTrace({ headers: {} }, fives))).toBe(
    `00-${"5".repeat(32)}-5555555555555555-00`,
  );
});

test("chance that gives only zeros still gives valid ids", () => {
  expect(parseTraceparent(toTraceparent(continueTrace({ headers: {} }, zeros)))).toBeDefined();
});

test.for([
  ["a=1,b=2", "a=1,b=2"],
  ["a=1, b=2", "a=1, b=2"],
  ["a=ü", undefined],
  ["a=1\nb", undefined],
  [`a=${"x".repeat(600)}`, undefined],
] as const)("the tracestate %j is passed on as %j", ([tracestate, expected]) => {
  const headers = { traceparent: `00-${traceId}-${spanId}-01`, tracestate };
  expect(continueTrace({ headers }, fives).tracestate).toBe(expected);
});

test("a tracestate without a valid traceparent is dropped", () => {
  expect(
    continueTrace({ headers: { traceparent: "x", tracestate: "a=1" } }, fives).tracestate,
  ).toBeUndefined();
});
