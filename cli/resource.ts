import type { Command } from "commander";
import { z } from "zod";

import { type ApiClient, createClient } from "./api.ts";
import { type CommonOptions, withApiOptions } from "./api-options.ts";
import type { CommandContext } from "./context.ts";
import { type Column, printOne, printRows } from "./print.ts";

/** A row as the API answered it; members are read by name. */
export type Row = z.infer<typeof row>;
const row = z.looseObject({});

const page = z.looseObject({ items: z.array(row), next: z.string().nullish() });

/** The text of a member, `-` when there is none. */
export function cell(name: string): (of: Row) => string {
  return (of) => {
    const value = name.split(".").reduce<unknown>((at, part) => row.safeParse(at).data?.[part], of);
    if (value === null || value === undefined || value === "") return "-";
    return typeof value === "string" ? value : JSON.stringify(value);
  };
}

export interface ListDefinition<Options> {
  readonly path: string;
  readonly columns: readonly Column<Row>[];
  readonly none: string;
  /** The query parameters of the options. */
  readonly query: (options: Options) => Readonly<Record<string, string | undefined>>;
}

const maxPage = 500;

/** Makes a command that prints a list of the API, over as many pages as `--limit` asks for, if it has that option. */
export function asList<Options extends CommonOptions & { readonly limit?: number }>(
  command: Command,
  definition: ListDefinition<Options>,
  { env, output }: CommandContext,
): Command {
  return withApiOptions(command).action(async (options: Options) => {
    const client = await createClient({ ...options, env });
    const rows = await readPages(client, definition, options);
    printRows({ rows, columns: definition.columns, none: definition.none }, options.output, output);
  });
}

async function readPages<Options extends { readonly limit?: number }>(
  client: ApiClient,
  { path, query }: ListDefinition<Options>,
  options: Options,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const most = options.limit ?? Number.POSITIVE_INFINITY;
  let cursor: string | undefined;
  do {
    const limit = options.limit === undefined ? undefined : Math.min(maxPage, most - rows.length);
    const answer = await client.request("GET", path, { query: { ...query(options), cursor, limit } });
    const { items, next } = page.parse(answer);
    rows.push(...items);
    cursor = next ?? undefined;
  } while (cursor !== undefined && rows.length < most);
  return rows;
}

/** What commands that do something to one thing may take. */
export interface CallOptions extends CommonOptions {
  readonly by?: string;
  readonly reason?: string;
}

/** Makes a command with an id that prints what the API answers to one request. */
export function asCall(
  command: Command,
  call: (client: ApiClient, id: string, options: CallOptions) => Promise<unknown>,
  { env, output }: CommandContext,
): Command {
  return withApiOptions(command.argument("<id>")).action(async (id: string, options: CallOptions) => {
    const client = await createClient({ ...options, env });
    printOne(row.parse((await call(client, encodeURIComponent(id), options)) ?? {}), options.output, output);
  });
}
