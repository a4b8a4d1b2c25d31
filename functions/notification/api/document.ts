import { OpenAPIHono, type RouteConfig, z } from "@hono/zod-openapi";

import { noticeHeader } from "../../../runtime/access/access.ts";
import type { AnswerKind, Operation } from "./operation.ts";
import { operations } from "./operations.ts";
import { type ProblemName, problemKinds } from "./problems.ts";
import { problemSchema } from "./schemas/problem.ts";

/** Where the API of this version is. */
export const basePath = "/api/v1";

export type OpenApiDocument = ReturnType<OpenAPIHono["getOpenAPI31Document"]>;

/** The OpenAPI 3.1 document of every operation; the same operations give the same document. */
export function renderOpenApi(): OpenApiDocument {
  const { openAPIRegistry: registry, getOpenAPI31Document } = new OpenAPIHono();
  registry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "An API key (`auditflow keys create`) or an access token of the identity provider.",
  });
  for (const [name, description] of Object.entries(headers)) {
    registry.registerComponent("headers", name, { description, schema: { type: "string" } });
  }
  registry.register("Problem", problemSchema);
  const sets = new Map(operations.flatMap(problemsOf).map(([, names]) => [answerName(names), names]));
  for (const [name, names] of sets) registry.registerComponent("responses", name, problemAnswer(names));
  for (const operation of operations) registry.registerPath(toRoute(operation));
  const document = getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "AuditFlow",
      version: "1.0.0",
      description:
        "Alerts, what people do with them, and what became of telling others. Every error is a problem document (RFC 9457) whose `type` is served under `/problems`. Within v1 members and operations are added, never changed: a reader ignores what it does not know.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    servers: [{ url: "/" }],
    tags: tags.map(([name, description]) => ({ name, description })),
  });
  return withoutEchoes(document);
}

/** The generator tells what a parameter means twice: once is enough. */
function withoutEchoes(document: OpenApiDocument): OpenApiDocument {
  const text = JSON.stringify(document, (_name, value: unknown) => {
    if (!isRecord(value) || !isRecord(value["schema"]) || !("in" in value)) return value;
    const { description, ...schema } = value["schema"];
    return description === value["description"] ? { ...value, schema } : value;
  });
  return JSON.parse(text);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const tags = [
  ["alerts", "What was found, and what people do with it."],
  ["silences", "What people do not want to be told of, for a while."],
  ["deliveries", "Messages to people and what became of them."],
  ["channels", "The ways people are told."],
  ["dead letters", "Events that could not be handled."],
  ["access", "Who is asking, and with which keys."],
] as const;

/** Headers of answers. */
const headers = {
  ETag: "The version of what was answered: for `If-None-Match`, and of one alert for `If-Match`.",
  Link: 'The pages before and after, as `rel="prev"` and `rel="next"` (RFC 8288).',
  RateLimit: "What is left of the caller's requests, and the seconds until all are there again.",
  "RateLimit-Policy": "How many requests there are (`q`) in how many seconds (`w`).",
  "Retry-After": "Seconds to wait.",
  "Idempotency-Replayed": "`true` when the answer is the one to an earlier request with the same key.",
  "X-AuditFlow-Notice":
    "What everybody who reads an answer should know, such as that nobody is asked who they are.",
} as const;

type HeaderName = keyof typeof headers;

/** Those that every answer can have. */
const common: readonly HeaderName[] = ["RateLimit", "RateLimit-Policy", titleCase(noticeHeader)];

function titleCase(name: string): HeaderName {
  const known = Object.keys(headers).find((header) => header.toLowerCase() === name);
  if (known === undefined) throw new Error(`The document does not describe the header ${name}.`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was found among them
  return known as HeaderName;
}

function refer(names: readonly HeaderName[]): Record<string, { $ref: string }> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function toRoute(operation: Operation): RouteConfig {
  const { id, method, path, tag, summary, description, scope, params, query, body } = operation;
  return {
    method,
    path: `${basePath}${path}`,
    operationId: id,
    tags: [tag],
    summary,
    description: [description, `Needs the scope \`${scope}\`.`].filter(Boolean).join(" "),
    security: [{ bearer: [] }],
    request: {
      ...(params instanceof z.ZodObject && { params }),
      ...(query instanceof z.ZodObject && { query }),
      headers: requestHeaders(operation),
      ...(body !== undefined && {
        body: { required: !body.safeParse({}).success, content: { "application/json": { schema: body } } },
      }),
    },
    responses: {
      ...answersOf(operation),
      ...Object.fromEntries(
        problemsOf(operation).map(([status, names]) => [
          status,
          { $ref: `#/components/responses/${answerName(names)}` },
        ]),
      ),
    },
  };
}

function requestHeaders({ method, ifMatch, answers }: Operation) {
  return z.object({
    ...(ifMatch && {
      "If-Match": z.string().openapi({ description: "The alert's ETag, or `*`.", example: "*" }),
    }),
    ...(isTagged(method, answers) && {
      "If-None-Match": z
        .string()
        .optional()
        .openapi({ description: "An ETag: 304 without a body when nothing has changed." }),
    }),
    ...(method === "post" && {
      "Idempotency-Key": z.string().min(1).max(255).optional().openapi({
        description: "Any new text: a repeat within 24 hours gets the same answer and does nothing.",
      }),
    }),
  });
}

function isTagged(method: string, answers: Operation["answers"]): boolean {
  return method === "get" && (answers[200]?.headers?.includes("ETag") ?? false);
}

function answersOf({ method, answers }: Operation): RouteConfig["responses"] {
  const told = Object.entries(answers).map(([status, answer]) => [status, toResponse(answer, method)]);
  const unchanged = { description: "Nothing has changed.", headers: refer(["ETag", ...common]) };
  return Object.fromEntries([...told, ...(isTagged(method, answers) ? [["304", unchanged]] : [])]);
}

function toResponse({ description, content, headers: own = [] }: AnswerKind, method: string) {
  const replayed: readonly HeaderName[] = method === "post" ? ["Idempotency-Replayed"] : [];
  return {
    description: `${description}.`,
    headers: refer([...own, ...replayed, ...common]),
    ...(content !== undefined && { content: { ...content } }),
  };
}

/** Every problem an operation can answer with. */
export function problemNames({ method, problems = [], params }: Operation): readonly ProblemName[] {
  const everywhere: readonly ProblemName[] = [
    "invalid-request",
    "unauthenticated",
    "forbidden",
    "too-many-requests",
    "internal-error",
    "unavailable",
  ];
  const posted: readonly ProblemName[] = [
    "malformed-json",
    "body-too-large",
    "unsupported-media-type",
    "idempotency-key-in-use",
    "idempotency-key-reused",
  ];
  const named: readonly ProblemName[] = params === undefined ? [] : ["not-found"];
  return [...new Set([...everywhere, ...(method === "post" ? posted : []), ...named, ...problems])];
}

/** By status; those that share one are told apart by their `type`. */
function problemsOf(
  operation: Operation,
): readonly (readonly [status: string, names: readonly ProblemName[]])[] {
  const byStatus = Map.groupBy(problemNames(operation), (name) => problemKinds[name].status);
  const entries = [...byStatus].toSorted(([a], [b]) => a - b);
  return entries.map(([status, names]) => [String(status), names]);
}

/** What problems of one status are called among the answers of the document. */
function answerName(names: readonly ProblemName[]): string {
  return names.join(".");
}

function problemAnswer(names: readonly ProblemName[]) {
  const [first = "internal-error"] = names;
  const { title, status, remedy } = problemKinds[first];
  const types = names.map((name) => `/problems/${name}`);
  return {
    description: names.map((name) => `${problemKinds[name].title} (\`${name}\`).`).join(" "),
    headers: refer(waits.has(status) ? ["Retry-After", ...common] : common),
    content: {
      "application/problem+json": {
        schema: {
          allOf: [
            { $ref: "#/components/schemas/Problem" },
            { type: "object" as const, properties: { type: { type: "string" as const, enum: types } } },
          ],
        },
        example: { type: types[0], title, status, detail: remedy },
      },
    },
  };
}

/** Statuses that say when to come again. */
const waits: ReadonlySet<number> = new Set([429, 503]);
