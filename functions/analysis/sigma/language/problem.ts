/** A place in a rule file; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Every code a rule can be refused or criticised with; explained in `rules/README.md`. */
export const ruleProblemCodes = [
  "RULE_YAML_INVALID",
  "RULE_DOCUMENT_INVALID",
  "RULE_ATTRIBUTE_MISSING",
  "RULE_ATTRIBUTE_INVALID",
  "RULE_LOGSOURCE_INVALID",
  "RULE_DETECTION_INVALID",
  "RULE_VALUE_INVALID",
  "RULE_MODIFIER_UNKNOWN",
  "RULE_MODIFIER_INVALID",
  "RULE_REGEX_INVALID",
  "RULE_PLACEHOLDER_UNKNOWN",
  "RULE_LIMIT_EXCEEDED",
  "RULE_CONDITION_INVALID",
  "RULE_CONDITION_UNSUPPORTED",
  "RULE_IDENTIFIER_UNKNOWN",
  "RULE_IDENTIFIER_UNUSED",
  "RULE_SELECTOR_EMPTY",
  "RULE_ID_DUPLICATE",
  "RULE_NAME_DUPLICATE",
  "CORRELATION_INVALID",
  "CORRELATION_UNSUPPORTED",
  "CORRELATION_RULE_UNKNOWN",
  "CORRELATION_CYCLE",
  "FILTER_INVALID",
  "FILTER_RULE_UNKNOWN",
  "FILTER_EXPIRED",
  "FILTER_WITHOUT_EFFECT",
  "RULE_FILE_UNREADABLE",
  "RULE_TITLE_DUPLICATE",
  "RULE_LEVEL_MISSING",
  "RULE_CONTENT_INVALID",
  "RULE_CASES_MISSING",
  "RULE_CASES_INVALID",
  "RULE_CASES_FAILED",
  "RULE_PACK_INVALID",
  "RULE_NEVER_MATCHES",
  "RULE_DUPLICATE",
  "RULE_FIELD_UNKNOWN",
  "RULE_GROUP_UNIQUE",
  "CORRELATION_REPLAYS",
  "FILTER_UNOWNED",
  "RULE_REGEX_WITHOUT_LITERAL",
] as const;
export type RuleProblemCode = (typeof ruleProblemCodes)[number];

/** What is wrong with one rule, and where. An error keeps the rule out; a warning does not. */
export interface RuleProblem extends Position {
  readonly code: RuleProblemCode;
  readonly severity: "error" | "warning";
  readonly file: string;
  readonly message: string;
}

/** The one error the parser throws inside; `compileRuleSet` turns it into a `RuleProblem`. */
export class RuleError extends Error {
  override readonly name = "RuleError";
  readonly code: RuleProblemCode;
  readonly at: Position;

  constructor(code: RuleProblemCode, message: string, at: Position) {
    super(message);
    this.code = code;
    this.at = at;
  }
}
