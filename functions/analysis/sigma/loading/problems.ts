import { type Position, RuleError, type RuleProblem, type RuleProblemCode } from "../language/problem.ts";

/** What is wrong with the documents, as it is found. A refused document has one error, and one only. */
export interface Problems {
  /** Runs one step; its RuleError becomes a problem. Any other error is a fault of ours and passes through. */
  attempt<Result>(file: string, step: () => Result): Result | undefined;
  refuse(code: RuleProblemCode, place: Place, message: string): void;
  warn(code: RuleProblemCode, place: Place, message: string): void;
  /** By file, then by place in it. */
  inOrder(): readonly RuleProblem[];
}

export interface Place extends Position {
  readonly file: string;
}

/** Begins with nothing found. */
export function createProblems(): Problems {
  const found: RuleProblem[] = [];
  const add = (severity: RuleProblem["severity"]): Problems["refuse"] => {
    return (code, { file, line, column }, message) => {
      found.push({ code, severity, file, line, column, message });
    };
  };
  const refuse = add("error");
  return {
    attempt(file, step) {
      try {
        return step();
      } catch (error) {
        if (!(error instanceof RuleError)) throw error;
        refuse(error.code, { file, ...error.at }, error.message);
        return undefined;
      }
    },
    refuse,
    warn: add("warning"),
    inOrder: () => found.toSorted(byPlace),
  };
}

function byPlace(a: RuleProblem, b: RuleProblem): number {
  return (a.file < b.file ? -1 : Number(a.file > b.file)) || a.line - b.line || a.column - b.column;
}
