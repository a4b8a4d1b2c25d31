import { type Document, type Operation, resolve, type Schema } from "./document.ts";
import { type Chance, nasty, pick, valid } from "./values.ts";

/** A request before it is sent. */
export interface FuzzRequest {
  readonly operation: Operation;
  readonly path: Readonly<Record<string, string>>;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, unless it was broken on purpose. */
  readonly body: string | undefined;
  /** What was broken, when something was: then only a refusal is right. */
  readonly broken?: string;
}

/** A request that the document allows. */
export function validRequest(operation: Operation, chance: Chance): FuzzRequest {
  const { random } = chance;
  const of = (place: string) => operation.parameters.filter((parameter) => parameter.in === place);
  const given = [...of("query"), ...of("header")].filter(
    ({ required }) => required === true || random() < 0.25,
  );
  const query = given
    .filter((parameter) => parameter.in === "query")
    .flatMap(({ name, schema }) =>
      [valid(name, schema, chance)].flat().map((one) => [name, String(one)] as const),
    );
  const headers = given
    .filter((parameter) => parameter.in === "header")
    .map(({ name, schema }) => [name, ascii(valid(name, schema, chance))] as const);
  const hasBody = operation.body !== undefined;
  return {
    operation,
    path: Object.fromEntries(
      of("path").map(({ name, schema }) => [name, String(valid(name, schema, chance)) || "x"]),
    ),
    query,
    headers: { ...(hasBody && { "content-type": "application/json" }), ...Object.fromEntries(headers) },
    body: hasBody ? JSON.stringify(valid("", operation.body ?? {}, chance)) : undefined,
  };
}

/** Header values go over the wire as they are, so only visible ones are sent. */
function ascii(value: unknown): string {
  return String(value).replaceAll(/[^\x21-\x7e]/g, "x") || "x";
}

type Breaking = (request: FuzzRequest, chance: Chance) => FuzzRequest | undefined;

/** The ways in which a request is made wrong; each answers nothing where it does not fit. */
const breakings: Readonly<Record<string, Breaking>> = {
  "an unknown parameter": (request) => ({ ...request, query: [...request.query, ["srot", "1"]] }),
  "a parameter of another kind": (request, chance) => {
    const fitting = request.operation.parameters.filter((one) => one.in === "query" && isStrict(one.schema));
    if (fitting.length === 0) return undefined;
    const { name } = pick(chance, fitting);
    return {
      ...request,
      query: [...request.query.filter(([known]) => known !== name), [name, "-no such thing"]],
    };
  },
  "a parameter twice": (request, chance) => {
    const fitting = request.operation.parameters.filter(
      (one) => one.in === "query" && one.schema.type !== "array",
    );
    if (fitting.length === 0) return undefined;
    const { name } = pick(chance, fitting);
    return { ...request, query: [...request.query, [name, "1"], [name, "2"]] };
  },
  "a path that is no id": (request, chance) => {
    const ids = request.operation.parameters.filter(
      (one) => one.in === "path" && one.schema.format === "uuid",
    );
    if (ids.length === 0) return undefined;
    return {
      ...request,
      path: { ...request.path, [ids[0]?.name ?? ""]: pick(chance, ["x", "0", "nul\u0000", "é"]) },
    };
  },
  "a query that cannot be read": (request, chance) => {
    if (!request.operation.parameters.some(({ name }) => name === "q")) return undefined;
    const q = pick(chance, [
      "severty:high",
      "(",
      "rule:~(",
      'a"',
      "-",
      "count:>x",
      "a ".repeat(41),
      "(".repeat(500),
    ]);
    return { ...request, query: [...request.query.filter(([name]) => name !== "q"), ["q", q]] };
  },
  "a cursor of nobody": (request, chance) => {
    if (!request.operation.parameters.some(({ name }) => name === "cursor")) return undefined;
    const made = Buffer.from(JSON.stringify(pick(chance, [{}, [], null, { at: "x", id: 1 }]))).toString(
      "base64url",
    );
    const cursor = pick(chance, [made, "!", "a".repeat(1999), ...nasty.filter((one) => one.trim() !== "")]);
    return {
      ...request,
      query: [...request.query.filter(([name]) => name !== "cursor"), ["cursor", cursor]],
    };
  },
  "a body that is no JSON": (request, chance) =>
    request.body === undefined
      ? undefined
      : {
          ...request,
          body: pick(chance, ["{", "[1,", '{"a": 1e999}', '"\\ud800"', `${"[".repeat(40)}${"]".repeat(40)}`]),
        },
  "a body of another kind": (request, chance) =>
    request.body === undefined
      ? undefined
      : { ...request, body: pick(chance, ["[]", "null", "7", '"text"', "true"]) },
  "an unknown member": (request) => withMember(request, "reasn", "x"),
  "a member of another kind": (request, chance) => {
    const { operation, body } = request;
    if (body === undefined) return undefined;
    const members = strictMembers(chance.document, operation.body ?? {}, JSON.parse(body));
    return members.length === 0 ? undefined : withMember(request, pick(chance, members), { no: ["such"] });
  },
  "another media type": (request) =>
    request.body === undefined
      ? undefined
      : { ...request, headers: { ...request.headers, "content-type": "text/plain" } },
  "an If-Match that is no tag": (request) =>
    "If-Match" in request.headers
      ? { ...request, headers: { ...request.headers, "If-Match": "revision 1" } }
      : undefined,
  "no If-Match": (request) => {
    if (!("If-Match" in request.headers)) return undefined;
    const { "If-Match": _, ...headers } = request.headers;
    return { ...request, headers };
  },
  "an Idempotency-Key that is none": (request) =>
    request.operation.method === "POST"
      ? { ...request, headers: { ...request.headers, "Idempotency-Key": "a b" } }
      : undefined,
};

/** A request in which one thing is wrong. */
export function brokenRequest(operation: Operation, chance: Chance): FuzzRequest {
  const request = validRequest(operation, chance);
  const broken = Object.entries(breakings).flatMap(([name, change]) => {
    const made = change(request, chance);
    return made === undefined ? [] : [{ ...made, broken: name }];
  });
  return pick(chance, broken);
}

/** Whether a text can be too wrong for the schema. */
function isStrict(schema: Schema): boolean {
  const { type, enum: values, format, items } = schema;
  if (items !== undefined) return isStrict(items);
  return values !== undefined || format !== undefined || type === "integer" || type === "boolean";
}

function withMember(
  { body, ...request }: FuzzRequest,
  name: string,
  value: unknown,
): FuzzRequest | undefined {
  const content: unknown = body === undefined ? undefined : JSON.parse(body);
  if (typeof content !== "object" || content === null || Array.isArray(content)) return undefined;
  return { ...request, body: JSON.stringify({ ...content, [name]: value }) };
}

/** The members of a body that an object is never right for. */
function strictMembers(document: Document, schema: Schema, body: unknown): readonly string[] {
  const found = resolve(document, schema);
  if (found.oneOf) return found.oneOf.flatMap((option) => strictMembers(document, option, body));
  const names = typeof body === "object" && body !== null ? Object.keys(body) : [];
  return names.filter((name) => {
    const type = found.properties?.[name]?.type;
    return type !== undefined && type !== "object" && ![type].flat().includes("object");
  });
}

/** Sends it; the answer's body is read unless it never ends. */
export async function send(url: string, request: FuzzRequest): Promise<Response> {
  const { operation, path, query, headers, body } = request;
  const target = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(path[name] ?? "").replaceAll(".", "%2E"),
  );
  const search = new URLSearchParams(query.map(([name, value]): [string, string] => [name, value]));
  return fetch(`${url}${target}?${search.toString()}`, {
    method: operation.method,
    headers,
    ...(body !== undefined && { body }),
  });
}

/** The request as it can be read in a failure. */
export function show({ operation, path, query, headers, body, broken }: FuzzRequest): string {
  return JSON.stringify({ operation: operation.id, broken, path, query, headers, body });
}
