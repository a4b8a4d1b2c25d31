import { describe, expect, test } from "vitest";

import { essenceOf, isMediaType, representationOf } from "./media-type.ts";

describe("a media type", () => {
  test.for([
    ["application/json", true],
    ["text/plain; charset=utf-8", true],
    ["text/plain;charset=utf-8;format=flowed", true],
    ['multipart/x; boundary="a b;c\\"d"', true],
    ["application/vnd.apache.thrift.binary", true],
    ["text/plain;", true],
    ["", false],
    ["json", false],
    ["a/", false],
    ["/b", false],
    ["a/b/c", false],
    ["a b/c", false],
    ["a/b; charset", false],
    ["a/b; =x", false],
    ['a/b; x="y', false],
    ["a/b\n", false],
    ["é/b", false],
    [`a/b; x=${"y".repeat(2000)}`, false],
  ] as const)("'%s': %s", ([text, expected]) => {
    expect(isMediaType(text)).toBe(expected);
  });

  test("has an essence without parameters and capitals", () => {
    expect(essenceOf("Text/HTML ; charset=utf-8")).toBe("text/html");
  });

  test.for([
    ["application/json", "json"],
    ["Application/JSON;charset=utf-8", "json"],
    ["application/cloudevents+json", "json"],
    ["text/json", "json"],
    ["application/jsonl", "bytes"],
    ["application/json-seq", "bytes"],
    ["text/plain", "text"],
    ['text/plain; charset="UTF-8"', "text"],
    ["text/plain; charset=us-ascii", "text"],
    ["text/plain; charset=iso-8859-1", "bytes"],
    ["application/xml", "bytes"],
  ] as const)("%s makes data %s", ([text, expected]) => {
    expect(representationOf(text)).toBe(expected);
  });
});
