/** One statement of an SQL file. */
export interface Statement {
  readonly text: string;
  /** Line in the file, from 1, where it begins. */
  readonly line: number;
}

/**
 * What a semicolon inside does not end: quoted text and names, dollar-quoted bodies, comments. In one
 * alternative each; the last one is the semicolon itself.
 */
const tokens = new RegExp(
  [
    String.raw`[eE]'(?:[^'\\]|\\.|'')*'`,
    "'(?:[^']|'')*'",
    '"(?:[^"]|"")*"',
    String.raw`(?<tag>\$(?:[A-Za-z_]\w*)?\$)[\s\S]*?\k<tag>`,
    "--[^\n]*",
    String.raw`\/\*[\s\S]*?\*\/`,
    "(?<end>;)",
  ].join("|"),
  "g",
);

/** Splits an SQL file into its statements, so that an error can name the one it is about. */
export function splitStatements(file: string): readonly Statement[] {
  const statements: Statement[] = [];
  let from = 0;
  const push = (to: number) => {
    const text = file.slice(from, to);
    const start = from + /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/.exec(text)![0].length;
    if (start < to) statements.push({ text: file.slice(start, to), line: lineAt(file, start) });
    from = to + 1;
  };
  for (const match of file.matchAll(tokens)) if (match.groups?.["end"]) push(match.index);
  push(file.length);
  return statements;
}

/** The line, from 1, of an offset. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
