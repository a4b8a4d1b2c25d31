import { randomBytes, randomUUID } from "node:crypto";
import { Command, Option } from "commander";
import postgres from "postgres";

import { hashSecret } from "../../runtime/access/hash.ts";
import { createKeyStore, type KeyStore, type ListedKey } from "../../runtime/access/key-store.ts";
import { isScope, type Scope, scopes } from "../../runtime/access/scopes.ts";
import { createToken } from "../../runtime/access/token.ts";
import type { CommandContext } from "../context.ts";
import { databaseUrl, withDatabase } from "../database.ts";
import { CliError, exitCode } from "../exit-code.ts";
import { type Column, type Format, formatOption, printRows } from "../print.ts";

interface CreateOptions {
  readonly name: string;
  readonly scope: readonly Scope[];
  readonly expires?: number;
  readonly output: Format;
}

interface Options {
  readonly output: Format;
}

/** `auditflow keys`: API keys in the database of DATABASE_URL; so the first one needs no key. */
export function keysCommand(context: CommandContext): Command {
  return new Command("keys")
    .description("make, list and revoke API keys in the database of DATABASE_URL")
    .addCommand(createCommand(context))
    .addCommand(
      new Command("list")
        .description("list all keys, newest first; what is secret of them is nowhere")
        .addOption(formatOption())
        .action((options: Options) => list(context, options)),
    )
    .addCommand(
      new Command("revoke")
        .description("end a key: it is refused from now on")
        .argument("<key>", "its id or prefix, as `keys list` shows them")
        .addOption(formatOption())
        .action((key: string, options: Options) => revoke(context, key, options)),
    );
}

function createCommand(context: CommandContext): Command {
  return new Command("create")
    .description("make a key and print it, once: only a hash of it is kept")
    .requiredOption("--name <name>", "who or what uses it; shown in histories", nameOf)
    .addOption(
      new Option("--scope <scope...>", `what it may do: ${scopes.join(", ")}`)
        .argParser(addScopes)
        .makeOptionMandatory(),
    )
    .option(
      "--expires <duration>",
      "how long it is valid: 12h, 90d, 52w (default: until it is revoked)",
      lifeOf,
    )
    .addOption(formatOption())
    .addHelpText(
      "after",
      "\nThe key goes to stdout and all else to stderr:\n  auditflow keys create --name falco --scope ingest --expires 90d > falco.key",
    )
    .action((options: CreateOptions) => create(context, options));
}

async function create(
  context: CommandContext,
  { name, scope, expires, output }: CreateOptions,
): Promise<void> {
  const token = createToken((bytes) => randomBytes(bytes).toString("hex"));
  const hash = await hashSecret(token.text);
  const key = await withKeys(context, (store) =>
    store.insert({ keyId: randomUUID(), prefix: token.prefix, name, scopes: scope, hash, lifeMs: expires }),
  );
  const { out, err } = context.output;
  if (output === "table") {
    out(token.text);
    err(
      `Key ${key.prefix} of ${key.name} may ${key.scopes.join(", ")}${validity(key)}. It is not shown again.`,
    );
  } else {
    out(JSON.stringify({ token: token.text, ...key }, undefined, output === "json" ? 2 : undefined));
  }
}

function validity({ expires_at }: ListedKey): string {
  return expires_at === null ? " until it is revoked" : ` until ${expires_at}`;
}

const columns: readonly Column<ListedKey>[] = [
  ["PREFIX", ({ prefix }) => prefix],
  ["NAME", ({ name }) => name],
  ["SCOPES", (key) => key.scopes.join(",")],
  ["STATE", ({ state }) => state],
  ["EXPIRES", ({ expires_at }) => expires_at ?? "never"],
  ["LAST USED", ({ last_used_at }) => last_used_at ?? "never"],
  ["ID", ({ key_id }) => key_id],
];

async function list(context: CommandContext, { output }: Options): Promise<void> {
  const rows = await withKeys(context, (store) => store.list());
  printRows({ rows, columns, none: "There are no keys." }, output, context.output);
}

async function revoke(context: CommandContext, key: string, { output }: Options): Promise<void> {
  if (key.startsWith("af_")) {
    throw new CliError(
      "That is a key itself, which is now in the history of your shell: revoke it by its id or prefix.",
      exitCode.usage,
    );
  }
  const revoked = await withKeys(context, (store) => store.revoke(key));
  if (!revoked) throw new CliError(`There is no key with the id or prefix "${key}".`, exitCode.notFound);
  printRows({ rows: [revoked], columns, none: "" }, output, context.output);
}

async function withKeys<T>(context: CommandContext, work: (store: KeyStore) => Promise<T>): Promise<T> {
  try {
    return await withDatabase(databaseUrl(context.env), (database) => work(createKeyStore(database)));
  } catch (error) {
    if (sqlStateOf(error) !== undefinedTable) throw error;
    throw new CliError(
      "The database has no table of keys yet. Apply the migrations first: auditflow migrate up.",
      exitCode.usage,
      { cause: error },
    );
  }
}

const undefinedTable = "42P01";

/** What PostgreSQL said at the bottom of an error, if it said anything. */
function sqlStateOf(error: unknown): string | undefined {
  if (error instanceof postgres.PostgresError) return error.code;
  return error instanceof Error ? sqlStateOf(error.cause) : undefined;
}

function addScopes(text: string, before: readonly Scope[] = []): readonly Scope[] {
  const words = text.split(",").map((word) => word.trim());
  const unknown = words.find((word) => !isScope(word));
  if (unknown !== undefined) {
    throw new CliError(`"${unknown}" is not a scope: expected ${scopes.join(", ")}.`, exitCode.usage);
  }
  return [...new Set([...before, ...words.filter(isScope)])];
}

function nameOf(text: string): string {
  const name = text.trim();
  if (/^[^\p{Cc}]{1,100}$/u.test(name)) return name;
  throw new CliError(`A name has 1 to 100 characters, and none that steers a terminal.`, exitCode.usage);
}

const units: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };

function lifeOf(text: string): number {
  const [, amount = "", unit = ""] = /^([1-9]\d{0,4})([hdw])$/.exec(text) ?? [];
  const unitMs = units[unit];
  if (unitMs !== undefined) return Number(amount) * unitMs;
  throw new CliError(`"${text}" is no duration such as 12h, 90d or 52w.`, exitCode.usage);
}
