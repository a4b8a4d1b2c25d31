const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const quoted = String.raw`"(?:[ !#-\[\]-~]|\\[ -~])*"`;
const mediaType = new RegExp(`^${token}/${token}(?: *; *${token}=(?:${token}|${quoted}))* *;?$`);
const charsetParameter = /; *charset="?([^\s;"]+)/i;

/** Whether this is `type/subtype` with well-formed parameters (RFC 2046, RFC 9110 §8.3.1). */
export function isMediaType(value: string): boolean {
  return value === "application/json" || (value.length <= 1024 && mediaType.test(value));
}

/** `type/subtype` in lower case, without its parameters. */
export function essenceOf(value: string): string {
  const end = value.indexOf(";");
  return (end < 0 ? value : value.slice(0, end)).trim().toLowerCase();
}

/** Whether this says of an HTTP message that it carries an event, or a batch, in an event format. */
export function isEventFormat(value: string): boolean {
  return value !== "application/json" && essenceOf(value).startsWith("application/cloudevents");
}

/** How `data` of this media type is represented: see `Event.data`. */
export function representationOf(value: string): "json" | "text" | "bytes" {
  if (value === "application/json") return "json";
  const essence = essenceOf(value);
  if (essence.endsWith("/json") || essence.endsWith("+json")) return "json";
  return essence.startsWith("text/") && isUtf8Charset(value) ? "text" : "bytes";
}

/** Text in another character set is left as bytes: nothing here reads it. */
function isUtf8Charset(value: string): boolean {
  const charset = charsetParameter.exec(value)?.[1]?.toLowerCase();
  return charset === undefined || charset === "utf-8" || charset === "utf8" || charset === "us-ascii";
}
