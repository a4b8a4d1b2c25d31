/** RFC 3986, appendix A: the characters of a path segment, a query, an authority; escapes are complete. */
const escape = "%[0-9A-Fa-f]{2}";
const segment = `(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|${escape})*`;
const query = `(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|${escape})*`;
const registeredName = `(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|${escape})*`;
const ipLiteral = "(?:[A-Za-z0-9._~!$&'()*+,;=:-]*@)?\\[[0-9A-Fa-fvV.:]+\\](?::[0-9]*)?";
const hierarchy = `(?://(?:${ipLiteral}|${registeredName})(?:/${segment})*|(?!//)${segment}(?:/${segment})*)`;
const suffix = `(?:\\?${query})?(?:#${query})?`;

const uri = new RegExp(`^[A-Za-z][A-Za-z0-9+.-]*:${hierarchy}${suffix}$`);
/** A relative reference may not have a colon in its first segment, where a scheme would end. */
const relativeReference = new RegExp(`^(?![^/?#]*:)${hierarchy}${suffix}$`);

/**
 * Whether the text is a URI with a scheme. CloudEvents refers to `absolute-URI`, which has no fragment;
 * its JSON Schema allows one, and so do we.
 */
export function isUri(value: string): boolean {
  return uri.test(value);
}

/** Whether the text is a URI-reference (RFC 3986 §4.1) and not empty. */
export function isUriReference(value: string): boolean {
  return value !== "" && (isPlainPath(value) || relativeReference.test(value) || uri.test(value));
}

/** The usual case, `/auditflow/analysis`, without a regular expression. */
function isPlainPath(value: string): boolean {
  if (value.charCodeAt(0) !== 0x2f || value.charCodeAt(1) === 0x2f) return false;
  for (let index = 1; index < value.length; index++) {
    const unit = value.charCodeAt(index);
    const isLetter = (unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x7a;
    // - . / and the digits
    if (!isLetter && (unit < 0x2d || unit > 0x39)) return false;
  }
  return true;
}
