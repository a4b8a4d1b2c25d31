/**
 * The source text of one member of a JSON object, so that it can be passed on byte for byte: parsing and
 * writing it again would change big numbers, duplicate keys and white space. The text must be a valid
 * JSON object; of repeated members the last counts, as it does for `JSON.parse`.
 */
export function rawMember(json: string, name: string): string | undefined {
  let raw: string | undefined;
  let at = skipSpace(json, json.indexOf("{") + 1);
  while (json[at] === '"') {
    const keyEnd = endOfString(json, at);
    const start = skipSpace(json, skipSpace(json, keyEnd) + 1);
    const end = endOfValue(json, start);
    if (JSON.parse(json.slice(at, keyEnd)) === name) raw = json.slice(start, end);
    const next = skipSpace(json, end);
    at = json[next] === "," ? skipSpace(json, next + 1) : next;
  }
  return raw;
}

function skipSpace(json: string, at: number): number {
  let next = at;
  while (" \t\r\n".includes(json[next] ?? "-")) next += 1;
  return next;
}

/** The index after a string that begins at `at`. */
function endOfString(json: string, at: number): number {
  let next = at + 1;
  while (json[next] !== '"') next += json[next] === "\\" ? 2 : 1;
  return next + 1;
}

function endOfValue(json: string, at: number): number {
  const first = json[at];
  if (first === '"') return endOfString(json, at);
  if (first !== "{" && first !== "[") return endOfScalar(json, at);
  let depth = 0;
  let next = at;
  do {
    const character = json[next];
    if (character === '"') {
      next = endOfString(json, next);
      continue;
    }
    if (character === "{" || character === "[") depth += 1;
    if (character === "}" || character === "]") depth -= 1;
    next += 1;
  } while (depth > 0);
  return next;
}

function endOfScalar(json: string, at: number): number {
  let next = at;
  while (!",}] \t\r\n".includes(json[next] ?? ",")) next += 1;
  return next;
}
