import { z } from "@hono/zod-openapi";

import type { Principal, Scope } from "../../../runtime/access/access.ts";
import type { ApiDeps } from "./deps.ts";
import { toFaults } from "./faults.ts";
import { problem, type ProblemError, type ProblemName, type RequestFault } from "./problems.ts";

/** What is told about one successful answer. */
export interface AnswerKind {
  readonly description: string;
  /** By media type; none for an answer without a body. */
  readonly content?: Readonly<Record<string, { readonly schema: z.ZodType; readonly example?: unknown }>>;
  /** Headers besides those that every answer has. */
  readonly headers?: readonly ("ETag" | "Link")[];
}

/** One request to an operation, its parts parsed. */
export interface Call<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Principal;
  readonly request: Request;
}

/** One operation of the API: everything the document says about it, and what it does. */
export interface OperationSpec<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  /** The `operationId`. */
  readonly id: string;
  readonly method: "get" | "post" | "delete";
  /** Below `/api/v1`, with `{names}` of its parameters. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly scope: Scope;
  readonly params?: Params;
  /** Every parameter of the query; others are refused. */
  readonly query?: Query;
  /** Of a POST; without one a body is refused. An empty body counts as `{}`. */
  readonly body?: Body;
  /** Whether `If-Match` is asked for. */
  readonly ifMatch?: true;
  readonly answers: Readonly<Record<number, AnswerKind>>;
  /** The problems of its own; those that every operation can have are added. */
  readonly problems?: readonly ProblemName[];
  handle(
    this: void,
    call: Call<z.output<Params>, z.output<Query>, z.output<Body>>,
    deps: ApiDeps,
  ): Promise<Response>;
}

/** The parts of a request before they are parsed. */
export interface RawParts {
  readonly params: unknown;
  readonly query: URLSearchParams;
  /** `undefined` when there was no body. */
  readonly body: unknown;
  /** What is wrong already. */
  readonly faults: readonly RequestFault[];
}

/** A request whose parts are right, ready to be done once. */
export type Prepared = (
  by: { readonly caller: Principal; readonly request: Request },
  deps: ApiDeps,
) => Promise<Response>;

/** An operation whose types of parts are nobody's business any more. */
export interface Operation extends Omit<OperationSpec<z.ZodType, z.ZodType, z.ZodType>, "handle"> {
  /** Parses every part; throws `invalid-request` with everything that is wrong at once. */
  prepare(this: void, raw: RawParts): Prepared;
}

const nothing = z.strictObject({});

/** Declares an operation; the types of its handler's arguments come from its schemas. */
export function operation<
  Params extends z.ZodType = typeof nothing,
  Query extends z.ZodType = typeof nothing,
  Body extends z.ZodType = typeof nothing,
>(spec: OperationSpec<Params, Query, Body>): Operation {
  const { handle, ...rest } = spec;
  return {
    ...rest,
    prepare({ params, query, body, faults }) {
      const path = parse(spec.params ?? nothing, params, "path");
      const search = parse(spec.query ?? nothing, toRecord(query, spec.query ?? nothing), "query");
      const content = parse(spec.body ?? nothing, body ?? {}, "body");
      const all = [...faults, ...path.faults, ...search.faults, ...content.faults];
      if (all.length > 0) throw invalid(all);
      const parts = { params: path.data, query: search.data, body: content.data };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each part was parsed by the schema it is typed by
      const call = parts as Pick<
        Call<z.output<Params>, z.output<Query>, z.output<Body>>,
        "params" | "query" | "body"
      >;
      return (by, deps) => handle({ ...call, ...by }, deps);
    },
  };
}

/** `invalid-request` with these faults; the detail is the first one's, for those who read no further. */
export function invalid(faults: readonly RequestFault[]): ProblemError {
  const [first] = faults;
  const place = first?.parameter ?? first?.header ?? (first?.pointer || "the body");
  const more = faults.length > 1 ? ` ${faults.length - 1} more in "errors".` : "";
  return problem("invalid-request", { detail: `${place}: ${first?.detail ?? ""}${more}`, errors: faults });
}

function parse(schema: z.ZodType, value: unknown, part: "path" | "query" | "body") {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return { data: result.data, faults: [] };
  return { data: undefined, faults: toFaults(result.error.issues, part, schema).slice(0, maxFaults) };
}

/** More than anybody reads; a body of a megabyte can hold many mistakes. */
const maxFaults = 50;

/**
 * The parameters by name, in the types their schemas ask for where the text can be nothing else. One that is
 * given several times and may not be stays a list, which its schema refuses.
 */
function toRecord(query: URLSearchParams, schema: z.ZodType): Readonly<Record<string, unknown>> {
  const shape: Readonly<Record<string, unknown>> = schema instanceof z.ZodObject ? schema.shape : {};
  const names = [...new Set(query.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const values = query.getAll(name);
      const kind = Object.hasOwn(shape, name) ? innermost(shape[name]) : undefined;
      if (kind instanceof z.ZodArray) return [name, values];
      return [name, values.length === 1 ? toValue(values[0] ?? "", kind) : values];
    }),
  );
}

function toValue(text: string, kind: unknown): unknown {
  if (kind instanceof z.ZodNumber && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (kind instanceof z.ZodBoolean && (text === "true" || text === "false")) return text === "true";
  return text;
}

function innermost(schema: unknown): unknown {
  const wrapped =
    schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable;
  return wrapped ? innermost(schema.unwrap()) : schema;
}
