import { QueryError } from "./error.ts";
import { type Cursor, scanValue, take, type Value } from "./scan.ts";

/** Any of so many values. */
const mostValues = 50;

/** Reads values between commas; none may be missing. */
export function scanList(cursor: Cursor): readonly Value[] {
  const values: Value[] = [];
  do {
    const value = scanValue(cursor, ",");
    if (!value.isQuoted && /^[=!<>~]/.test(value.text)) {
      throw new QueryError(
        `"${value.text}"`,
        { position: value.position, length: 1 },
        { expected: "a value, without a sign before it; quote it to look for the character" },
      );
    }
    if (value.length === 0) {
      throw new QueryError(
        "Nothing",
        { position: cursor.at, length: 0 },
        { expected: 'a value; "" is an empty one' },
      );
    }
    values.push(value);
    if (values.length > mostValues) {
      throw new QueryError("One value more", value, { expected: `at most ${mostValues} values of one key` });
    }
  } while (take(cursor, ","));
  return values;
}
