import { type QueryNode, toNode } from "./ast.ts";
import { QueryError, type Span } from "./error.ts";
import { parseFilter } from "./filter.ts";
import { foldCase } from "./pattern.ts";
import { type Cursor, scanValue, skipSpace, take, wordAt } from "./scan.ts";

/** UTF-16 code units, terms, groups within groups. */
export const bounds = { characters: 2000, terms: 40, depth: 10 } as const;

/** Reads a query into its tree. Throws QueryError. */
export function parseText(text: string): QueryNode {
  checkCharacters(text);
  const cursor: Cursor = { text, at: 0, terms: 0, regexes: 0, depth: 0 };
  const node = parseChoice(cursor);
  if (cursor.at < text.length) {
    throw new QueryError("A closing parenthesis", wordAt(cursor), {
      expected: "one that was opened before it",
    });
  }
  return node;
}

function checkCharacters(text: string): void {
  if (text.length > bounds.characters) {
    const span = { position: bounds.characters, length: text.length - bounds.characters };
    throw new QueryError("A text that is too long", span, {
      expected: `at most ${bounds.characters} characters`,
    });
  }
  // Neither can be a character of a stored text.
  const odd = /\0|\p{Surrogate}/u.exec(text);
  if (!odd) return;
  throw new QueryError(
    "A character that no text holds",
    { position: odd.index, length: 1 },
    {
      expected: "no U+0000 and no half of a surrogate pair",
    },
  );
}

/** Terms side by side all hold; `OR` between them binds less. */
function parseChoice(cursor: Cursor): QueryNode {
  const branches: QueryNode[] = [];
  let orAt: Span | undefined;
  for (;;) {
    const nodes = parseAll(cursor);
    const or = takeOr(cursor);
    const isEmpty = nodes.length === 0 && (branches.length > 0 || or !== undefined);
    if (isEmpty)
      throw new QueryError("OR", or ?? orAt ?? wordAt(cursor), { expected: "a term on both sides of it" });
    const [only] = nodes;
    branches.push(nodes.length === 1 && only ? only : { kind: "and", nodes });
    orAt = or;
    if (!or) break;
  }
  const [only] = branches;
  return branches.length === 1 && only ? only : { kind: "or", nodes: branches };
}

function takeOr(cursor: Cursor): Span | undefined {
  const word = wordAt(cursor);
  if (!cursor.text.startsWith("OR", cursor.at) || word.length !== 2) return undefined;
  cursor.at += 2;
  return word;
}

function parseAll(cursor: Cursor): readonly QueryNode[] {
  const nodes: QueryNode[] = [];
  for (;;) {
    skipSpace(cursor);
    const word = wordAt(cursor);
    const isOr = word.length === 2 && cursor.text.startsWith("OR", cursor.at);
    if (cursor.at >= cursor.text.length || cursor.text[cursor.at] === ")" || isOr) return nodes;
    nodes.push(parseTerm(cursor));
    const behind = cursor.text[cursor.at];
    if (behind !== undefined && behind !== ")" && !/\s/.test(behind)) {
      throw new QueryError(`"${behind}"`, wordAt(cursor), { expected: "a blank before the next term" });
    }
  }
}

function parseTerm(cursor: Cursor): QueryNode {
  countTerm(cursor);
  if (!take(cursor, "-")) return parsePositive(cursor);
  const next = cursor.text[cursor.at];
  if (next === "-" || next === ")" || isBlank(next)) {
    throw new QueryError(
      "A minus",
      { position: cursor.at - 1, length: 1 },
      {
        expected: "a term directly behind it; quote it to look for the character",
      },
    );
  }
  return { kind: "not", node: parsePositive(cursor) };
}

function isBlank(char: string | undefined): boolean {
  return char === undefined || /\s/.test(char);
}

function countTerm(cursor: Cursor): void {
  cursor.terms += 1;
  if (cursor.terms <= bounds.terms) return;
  throw new QueryError("One term more", wordAt(cursor), { expected: `at most ${bounds.terms} terms` });
}

function parsePositive(cursor: Cursor): QueryNode {
  if (cursor.text[cursor.at] === "(") return parseGroup(cursor);
  return parseFilter(cursor) ?? parseWord(cursor);
}

function parseGroup(cursor: Cursor): QueryNode {
  const open = { position: cursor.at, length: 1 };
  cursor.at += 1;
  // Groups have no meaning of their own: only what is in them counts.
  cursor.terms -= 1;
  cursor.depth += 1;
  if (cursor.depth > bounds.depth) {
    throw new QueryError("A parenthesis", open, {
      expected: `at most ${bounds.depth} groups within one another`,
    });
  }
  const node = parseChoice(cursor);
  if (!take(cursor, ")"))
    throw new QueryError("A parenthesis", open, { expected: "a closing parenthesis for it" });
  if (node.kind === "and" && node.nodes.length === 0) {
    throw new QueryError(
      "A group",
      { ...open, length: cursor.at - open.position },
      { expected: "a term in it" },
    );
  }
  cursor.depth -= 1;
  return node;
}

/** Words that mean something in other languages, and what says it here. */
const foreign: Readonly<Record<string, string>> = {
  AND: "nothing between terms that must both hold",
  NOT: "a minus before the term",
  "&&": "nothing between terms that must both hold",
  "||": "OR between terms",
};

function parseWord(cursor: Cursor): QueryNode {
  const word = wordAt(cursor);
  const written = cursor.text.slice(word.position, word.position + word.length);
  const instead = Object.hasOwn(foreign, written) ? foreign[written] : undefined;
  if (instead)
    throw new QueryError(`"${written}"`, word, { expected: `${instead}; quote it to look for the word` });
  if (written.startsWith("!")) {
    throw new QueryError(
      "An exclamation mark",
      { ...word, length: 1 },
      {
        expected: "a minus to say not; quote the word to look for it",
        suggestion: written.length > 1 ? `-${written.slice(1)}` : undefined,
      },
    );
  }
  const value = scanValue(cursor);
  if (value.text === "") throw new QueryError("An empty text", value, { expected: "something to look for" });
  // It may stand anywhere in a text.
  return toNode({ kind: "text", pattern: ["", ...value.pattern.map(foldCase), ""] });
}
