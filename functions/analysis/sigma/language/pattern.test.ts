import { describe, expect, test } from "vitest";

import { matches } from "../compiling.testing.ts";

describe("strings", () => {
  test.for([
    ["the whole value must match", "a: foo", "foobar", false],
    ["case does not matter", "a: FOO", "foo", true],
    ["cased: case matters", "a|cased: FOO", "foo", false],
    ["cased: case matters", "a|cased: FOO", "FOO", true],
    ["* is any length", "a: 'foo*'", "foobar", true],
    ["* is also nothing", "a: 'foo*'", "foo", true],
    ["* spans newlines", "a: 'foo*bar'", "foo\n\nbar", true],
    ["? is exactly one character", "a: 'fo?'", "foo", true],
    ["? is exactly one character", "a: 'fo?'", "fo", false],
    ["? is a newline too", "a: 'a?b'", "a\nb", true],
    ["? is one character, not one code unit", "a: 'a?b'", "a😀b", true],
    ["? is not two characters", "a: 'a?b'", "a😀😀b", false],
    ["? is one character where folding makes two", "a: 'a?b'", "aİb", true],
    ["\\* is a star", "a: 'a\\*b'", "a*b", true],
    ["\\* is a star", "a: 'a\\*b'", "axb", false],
    ["\\? is a question mark", "a: 'a\\?b'", "a?b", true],
    ["\\\\* is a backslash and a wildcard", "a: 'a\\\\*'", "a\\xyz", true],
    ["\\\\* is a backslash and a wildcard", "a: 'a\\\\*'", "a*", false],
    ["\\\\\\* is a backslash and a star", "a: 'a\\\\\\*'", "a\\*", true],
    ["\\\\\\* is a backslash and a star", "a: 'a\\\\\\*'", "a\\x", false],
    ["a\\b is itself", "a: 'a\\b'", "a\\b", true],
    ["a\\\\b equals a\\b", "a: 'a\\\\b'", "a\\b", true],
    ["three backslashes are two", "a: 'a\\\\\\b'", "a\\\\b", true],
    ["four backslashes are two", "a: 'a\\\\\\\\b'", "a\\\\b", true],
    ["a backslash at the end is literal", "a: 'a\\'", "a\\", true],
    ["contains keeps both backslashes of \\temp\\", "a|contains: '\\temp\\'", "C:\\temp\\x.exe", true],
    ["contains keeps both backslashes of \\temp\\", "a|contains: '\\temp\\'", "C:\\temp*", false],
    ["endswith keeps its trailing backslash", "a|endswith: 'temp\\'", "c:\\temp\\", true],
    ["startswith keeps its trailing backslash", "a|startswith: 'c:\\'", "C:\\x", true],
    ["contains keeps an inner wildcard", "a|contains: 'foo*bar'", "..foo--bar..", true],
    ["contains keeps an inner wildcard", "a|contains: 'foo*bar'", "..bar--foo..", false],
    ["endswith keeps an inner wildcard", "a|endswith: 'a?c'", "xxabc", true],
    ["startswith is anchored", "a|startswith: foo", "xfoo", false],
    ["endswith is anchored", "a|endswith: foo", "foox", false],
    ["several wildcards", "a: '*a*b*c'", "xxaxbxbxc", true],
    ["several wildcards", "a: '*a*b*c'", "xxaxcxb", false],
    ["a tail that occurs twice", "a: 'x*ab'", "xabab", true],
    ["İ equals itself", "a: İ", "İ", true],
    ["contains İ", "a|contains: İstanbul", "in İstanbul!", true],
    ["the Kelvin sign is a k", "a: kelvin", "\u212Aelvin", true],
    ["the Kelvin sign is a k", "a|contains: '\u212A'", "took", true],
    ["a final sigma equals any other", "a|contains: 'ΑΣ'", "xασx", true],
    ["a final sigma equals any other", "a: 'ΑΣ'", "ας", true],
    ["an empty text matches the empty text", "a: ''", "", true],
    ["an empty text matches nothing else", "a: ''", "x", false],
    ["* matches the empty text", "a: '*'", "", true],
  ] as const)("%s: %s on %j is %s", ([, item, value, expected]) => {
    const [key, text] = [item.slice(0, item.indexOf(":")), item.slice(item.indexOf(":") + 1)];
    expect(matches(`selection: {'${key}': ${text}}`, { a: value })).toBe(expected);
  });

  test.for([
    ["EventID: 4625", { EventID: 4625 }, true],
    ["EventID: 4625", { EventID: "4625" }, true],
    ["EventID: 4625", { EventID: "04625" }, false],
    ["EventID: '4625'", { EventID: 4625 }, true],
    ["EventID: '46*'", { EventID: 4625 }, true],
    ["id: 12345678901234567890", { id: "12345678901234567890" }, true],
    ["id: 12345678901234567890", { id: "12345678901234567891" }, false],
    ["ok: true", { ok: true }, true],
    ["ok: true", { ok: "True" }, true],
    ["date: 2024-01-01", { date: "2024-01-01" }, true],
    ["answer: yes", { answer: "yes" }, true],
    ["n|gte: 10", { n: 10 }, true],
    ["n|gte: 10", { n: "9.5" }, false],
    ["n|lt: 10", { n: "text" }, false],
    ["n|lt: 10", { n: "" }, false],
    ["params|contains: open-world", { params: { cidr: "open-world" } }, true],
  ] as const)("values are compared through their text: %s on %o is %s", ([item, event, expected]) => {
    const [key, text] = [item.slice(0, item.indexOf(":")), item.slice(item.indexOf(":") + 1)];
    expect(matches(`selection: {'${key}': ${text}}`, event)).toBe(expected);
  });
});
