import { expect, test } from "vitest";

import { isUri, isUriReference } from "./uri.ts";

/** The examples of the CloudEvents specification, of RFC 3986, and some of our own. */
test.for([
  ["https://github.com/cloudevents", true, true],
  ["mailto:cncf-wg-serverless@lists.cncf.io", true, true],
  ["urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66", true, true],
  ["/cloudevents/spec/pull/123", false, true],
  ["1-555-123-4567", false, true],
  ["ftp://ftp.is.co.za/rfc/rfc1808.txt", true, true],
  ["ldap://[2001:db8::7]/c=GB?objectClass?one", true, true],
  ["tel:+1-816-555-1212", true, true],
  ["http://a/b/c/d;p?q#f", true, true],
  ["file:///etc/hosts", true, true],
  ["../g;x=1/y", false, true],
  ["//g", false, true],
  ["?y", false, true],
  ["#s", false, true],
  ["./a:b", false, true],
  ["g?y/./x", false, true],
  ["/a%20b", false, true],
  ["/auditflow/source/sshd", false, true],
  ["", false, false],
  ["a:", true, true],
  ["1a:b", false, false],
  ["/a b", false, false],
  ["/a%2", false, false],
  ["/a%zz", false, false],
  ["/é", false, false],
  ["/a\\b", false, false],
  ['/a"b', false, false],
  ["/a<b>", false, false],
  ["/a{b}", false, false],
  ["a#b#c", false, false],
  ["http://[::1", false, false],
  ["/a[b]", false, false],
  ["\n", false, false],
  ["/a\n", false, false],
] as const)("'%s' is a URI: %s, a URI-reference: %s", ([text, uri, reference]) => {
  expect({ uri: isUri(text), reference: isUriReference(text) }).toEqual({ uri, reference });
});

test("a long text is decided at once, whatever it holds", () => {
  expect(isUriReference(`/${"a/".repeat(100_000)}`)).toBe(true);
  expect(isUriReference(`${"a/".repeat(100_000)} `)).toBe(false);
  expect(isUriReference(`//${"a:@".repeat(50_000)}[`)).toBe(false);
});
