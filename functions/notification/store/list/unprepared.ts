/**
 * Lets a statement be planned anew, for the values it is run with. The shapes that people's queries take
 * are countless, and each prepared one would stay in the memory of every connection; and a plan for any
 * value suits neither the rare nor the frequent ones.
 */
export function unprepared<T extends object>(statement: T): T {
  if ("options" in statement && typeof statement.options === "object" && statement.options !== null) {
    Object.assign(statement.options, { prepare: false });
  }
  return statement;
}
