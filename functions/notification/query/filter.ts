import { type QueryNode, toNode } from "./ast.ts";
import { QueryError, type Span } from "./error.ts";
import { findKey, flags, keyNames, keys, optionalNames, toName } from "./keys.ts";
import { scanList } from "./list.ts";
import { type Cursor, take, type Value } from "./scan.ts";
import { suggest } from "./suggest.ts";
import { type AnyKey, parseComparison, parseMatch, parseRegexTerm } from "./conditions.ts";

/** A name and what follows it, at the cursor. */
const head = /([A-Za-z_][^\s():="!]*)(:|=~|!=|!~|=)/y;

/**
 * Reads the filter at the cursor; `undefined` when there is none, but a text. `key=value`, `=~`, `!=` and
 * `!~` are Alertmanager's; as there, `=~` must fit the whole value.
 */
export function parseFilter(cursor: Cursor): QueryNode | undefined {
  head.lastIndex = cursor.at;
  const found = head.exec(cursor.text);
  if (!found) return undefined;
  const [all, name = "", sign = ""] = found;
  const span = { position: cursor.at, length: name.length };
  cursor.at += all.length;
  const node = parseTest(cursor, { name, sign, span });
  return sign.startsWith("!") ? { kind: "not", node } : node;
}

interface Head {
  readonly name: string;
  readonly sign: string;
  readonly span: Span;
}

function parseTest(cursor: Cursor, { name, sign, span }: Head): QueryNode {
  const read = toName(name) === "has" ? toHas : toName(name) === "is" ? toIs : undefined;
  if (read) return parseEach(cursor, { sign, read });
  const key = toKey(name, span);
  if (sign.endsWith("~")) return toNode(parseRegexTerm(cursor, key, true));
  if (sign === ":" && take(cursor, "~")) return toNode(parseRegexTerm(cursor, key, false));
  const isOrdered = sign === ":" && /[<>]/.test(cursor.text[cursor.at] ?? "");
  return toNode(isOrdered ? parseComparison(cursor, key) : parseMatch(cursor, key));
}

function toKey(name: string, span: Span): AnyKey {
  const key = findKey(name) ?? toDataKey(name);
  if (key) return key;
  throw new QueryError(`The unknown key "${name}"`, span, {
    expected: `one of ${keys.map((known) => known.name).join(", ")}, has, is, data.<field>; quote a text to look for it as it is`,
    suggestion: suggest(toName(name), keyNames),
  });
}

/** Fields within fields, at most. */
const deepestPath = 10;

function toDataKey(name: string): AnyKey | undefined {
  const [root, ...path] = name.split(".");
  const isPath = path.length > 0 && path.length <= deepestPath && path.every((field) => field !== "");
  return root?.toLowerCase() === "data" && isPath ? { kind: "data", path } : undefined;
}

interface Each {
  readonly sign: string;
  readonly read: (value: Value) => QueryNode;
}

function parseEach(cursor: Cursor, { sign, read }: Each): QueryNode {
  if (sign.endsWith("~")) {
    const span = { position: cursor.at - 1, length: 1 };
    throw new QueryError('"~"', span, { expected: "no regular expression here, but a word" });
  }
  const nodes = scanList(cursor).map(read);
  const [only] = nodes;
  return nodes.length === 1 && only ? only : { kind: "or", nodes };
}

function toHas(value: Value): QueryNode {
  const key = optionalNames.includes(toName(value.text)) ? findKey(value.text) : toDataKey(value.text);
  if (key) return toNode({ kind: "has", key });
  throw new QueryError(`"${value.text}"`, value, {
    expected: `what an alert may be without: one of ${optionalNames.join(", ")}, data.<field>`,
    suggestion: suggest(toName(value.text), optionalNames),
  });
}

function toIs(value: Value): QueryNode {
  const flag = flags.find((known) => known === toName(value.text));
  if (flag) return toNode({ kind: "is", flag });
  throw new QueryError(`"${value.text}"`, value, {
    expected: `one of ${flags.join(", ")}`,
    suggestion: suggest(toName(value.text), flags),
  });
}
