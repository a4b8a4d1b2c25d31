import { expect, test } from "vitest";

import { splitStatements } from "./statements.ts";

const texts = (file: string) => splitStatements(file).map(({ text }) => text.trim());

test.for([
  ["nothing", "", []],
  ["only comments and space", "-- a;\n/* b; */ \n", []],
  ["two statements", "select 1; select 2", ["select 1", "select 2"]],
  ["a last semicolon", "select 1;\n\n", ["select 1"]],
  ["empty statements", ";;select 1;;", ["select 1"]],
  ["a semicolon in text", "select ';'; select 'it''s;'", ["select ';'", "select 'it''s;'"]],
  [
    "a semicolon in escaped text",
    String.raw`select E'\';'; select 2`,
    [String.raw`select E'\';'`, "select 2"],
  ],
  [
    "a backslash at the end of plain text",
    String.raw`select '\'; select 2`,
    [String.raw`select '\'`, "select 2"],
  ],
  ["a semicolon in a name", 'select 1 as "a;""b"; select 2', ['select 1 as "a;""b"', "select 2"]],
  ["a dollar-quoted body", "do $$ begin; end $$; select 2", ["do $$ begin; end $$", "select 2"]],
  ["a tagged body", "do $x$ a $$ ; $y$ $x$; select 2", ["do $x$ a $$ ; $y$ $x$", "select 2"]],
  ["parameters are no bodies", "prepare p as select $1; select $2", ["prepare p as select $1", "select $2"]],
  ["comments in between", "-- one;\nselect 1; /* two; */ select 2", ["select 1", "select 2"]],
  ["a quote in a comment", "-- it's\nselect 1; -- isn't\nselect 2", ["select 1", "select 2"]],
] as const)("splits %s", ([, file, expected]) => {
  expect(texts(file)).toEqual(expected);
});

test("a statement knows the line it begins on", () => {
  const file = "-- title\n\nselect 1;\n-- why\nselect\n 2;";
  expect(splitStatements(file).map(({ line }) => line)).toEqual([3, 5]);
});
