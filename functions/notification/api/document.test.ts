import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

import { problemNames, renderOpenApi } from "./document.ts";
import { operations } from "./operations.ts";
import { problemKinds } from "./problems.ts";

interface Parsed {
  readonly paths: Readonly<Record<string, Readonly<Record<string, ParsedOperation>>>>;
  readonly components: { readonly schemas: object; readonly responses: Readonly<Record<string, unknown>> };
}

interface ParsedOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly security: readonly object[];
  readonly responses: Readonly<Record<string, { readonly $ref?: string }>>;
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: { readonly $ref: string } }>>;
  };
}

const document = JSON.parse(JSON.stringify(renderOpenApi())) as Parsed;
const all = Object.values(document.paths).flatMap((methods) => Object.values(methods));

describe("the OpenAPI document", () => {
  test("schemas/openapi.json is current (else: npm run schemas)", () => {
    const committed = readFileSync(new URL("../../../schemas/openapi.json", import.meta.url), "utf8");
    expect(JSON.parse(committed)).toEqual(document);
  });

  test("every operation is in it once, with a tag, a credential and an answer that succeeds", () => {
    expect(all.map(({ operationId }) => operationId).toSorted()).toEqual(
      operations.map(({ id }) => id).toSorted(),
    );
    for (const { tags, security, responses } of all) {
      expect(tags).toHaveLength(1);
      expect(security).toEqual([{ bearer: [] }]);
      expect(Object.keys(responses).filter((status) => status.startsWith("2"))).toHaveLength(1);
    }
  });

  test("every problem of an operation is among its answers", () => {
    for (const operation of operations) {
      const responses = all.find(({ operationId }) => operationId === operation.id)?.responses ?? {};
      const told = JSON.stringify(
        Object.values(responses).map((answer) => {
          const name = answer.$ref?.split("/").at(-1);
          return name === undefined ? answer : document.components.responses[name];
        }),
      );
      const names = problemNames(operation);
      expect(names.filter((name) => !told.includes(`"/problems/${name}"`))).toEqual([]);
      const statuses = names.map((name) => String(problemKinds[name].status));
      expect(statuses.filter((status) => !(status in responses))).toEqual([]);
    }
  });

  test("every body has an example that its operation takes", () => {
    const bodies = operations.filter(({ body }) => body !== undefined);
    expect(bodies.length).toBeGreaterThan(8);
    for (const { id, body } of bodies) {
      const { requestBody } = all.find(({ operationId }) => operationId === id) ?? {};
      const name = requestBody?.content["application/json"]?.schema.$ref.split("/").at(-1) ?? "";
      const schemas = document.components.schemas as Readonly<Record<string, { readonly example?: unknown }>>;
      const example = schemas[name]?.example;
      expect([id, body?.safeParse(example).error]).toEqual([id, undefined]);
      expect([id, example]).not.toEqual([id, undefined]);
    }
  });

  test("every reference leads somewhere", () => {
    const text = JSON.stringify(document);
    const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = ""]) => path);
    expect(references.length).toBeGreaterThan(50);
    const missing = references.filter((path) => {
      const found = path
        .split("/")
        .reduce<unknown>(
          (node, step) => (typeof node === "object" && node !== null ? Reflect.get(node, step) : undefined),
          document,
        );
      return found === undefined;
    });
    expect(missing).toEqual([]);
  });
});
