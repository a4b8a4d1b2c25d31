import { readFileSync } from "node:fs";
import { z } from "zod";

import { withAliases } from "./config-aliases.ts";
import { describeIssue } from "./config-problem.ts";

/** The variables of a process, or of one function inside a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One setting that is wrong. */
export interface ConfigProblem {
  /** The variable. */
  readonly name: string;
  /** What is wrong with it, quoting the value unless it is a secret. */
  readonly detail: string;
  /** What to do instead. */
  readonly hint?: string;
}

/** Everything that is wrong with the environment, in one error; its message is ready to be printed. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "CONFIG_INVALID";
  /** What a process ends with because of it. */
  readonly exitCode = 2;
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(render(problems));
    this.problems = problems;
  }
}

/**
 * Reads settings from the environment. An empty variable counts as absent; `NAME_FILE` names a file that
 * holds the value of `NAME`; the predecessor's names are understood. Throws ConfigError with every problem
 * at once.
 */
export function parseConfig<Config>(schema: z.ZodType<Config>, env: Environment): Config {
  return parseConfigs({ only: schema }, env).only;
}

/** Reads several schemas from one environment and reports the problems of all of them together. */
export function parseConfigs<Configs extends Record<string, unknown>>(
  schemas: { readonly [Name in keyof Configs]: z.ZodType<Configs[Name]> },
  env: Environment,
): Configs {
  const parts: [string, z.ZodType][] = Object.entries(schemas);
  const { values, problems } = resolve(
    env,
    parts.flatMap(([, schema]) => Object.keys(shapeOf(schema))),
  );
  const configs: Record<string, unknown> = {};
  for (const [name, schema] of parts) {
    const parsed = schema.safeParse(values);
    if (parsed.success) configs[name] = parsed.data;
    else problems.push(...parsed.error.issues.map((issue) => describeIssue(issue, values, shapeOf(schema))));
  }
  if (problems.length > 0) throw new ConfigError(distinct(problems));
  // Every entry was parsed by the schema of its name.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return configs as Configs;
}

/** The fields of an object schema, also of one that is transformed or refined afterwards. */
export function shapeOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> {
  if (schema instanceof z.ZodObject) return schema.shape;
  if (schema instanceof z.ZodPipe && schema.in instanceof z.ZodType) return shapeOf(schema.in);
  return {};
}

function resolve(env: Environment, names: readonly string[]) {
  const problems: ConfigProblem[] = [];
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ""),
  );
  const read: Record<string, string> = {};
  for (const [name, file] of Object.entries(given)) {
    const target = name.slice(0, -"_FILE".length);
    if (!name.endsWith("_FILE") || names.includes(name) || !isSetting(target, names)) continue;
    if (given[target] !== undefined) {
      problems.push({
        name: target,
        detail: `is set both directly and by ${name}`,
        hint: "Set one of the two.",
      });
    } else {
      const value = readSetting(file ?? "");
      if (value instanceof Error)
        problems.push({ name, detail: `"${file}" cannot be read (${value.message})` });
      else read[target] = value;
    }
  }
  return { values: withAliases({ ...given, ...read }), problems };
}

/** Files are read for settings of the schema and for the predecessor's passwords, not for `SSL_CERT_FILE`. */
function isSetting(name: string, names: readonly string[]): boolean {
  return names.includes(name) || /^(PG|RABBITMQ|REDIS)_PASS(WORD)?$/.test(name);
}

function readSetting(file: string): string | Error {
  try {
    return readFileSync(file, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function distinct(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  return [...new Map(problems.map((problem) => [`${problem.name} ${problem.detail}`, problem])).values()];
}

function render(problems: readonly ConfigProblem[]): string {
  const count = problems.length === 1 ? "1 setting is" : `${problems.length} settings are`;
  const width = Math.max(...problems.map(({ name }) => name.length));
  const lines = problems.flatMap(({ name, detail, hint }) => [
    `    ${name.padEnd(width)}  ${detail}`,
    ...(hint === undefined ? [] : [`    ${" ".repeat(width)}  ${hint}`]),
  ]);
  return [
    `✗ config  ${count} wrong (nothing was started)`,
    ...lines,
    "  See all settings: npx auditflow doctor --config        exit 2",
  ].join("\n");
}
