import { readdirSync, readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";

import { jsonData } from "../test/support/arbitrary-event.ts";
import type { Contract } from "./contract.ts";
import { contracts } from "./contracts.ts";
import { jsonSchemaOf, renderSchemas } from "./schemas.ts";

const root = new URL("../", import.meta.url);
const byType = contracts.map((contract): [string, Contract] => [contract.type, contract]);

function validatorOf(contract: Contract): (data: unknown) => boolean {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
  addFormats.default(ajv);
  return ajv.compile(jsonSchemaOf(contract));
}

describe("what is committed is what the contracts say", () => {
  test("the files of schemas/ are current (else: npm run schemas)", async () => {
    const rendered = await renderSchemas();
    for (const [path, text] of rendered) expect.soft(readFileSync(new URL(path, root), "utf8")).toBe(text);
    const committed = readdirSync(new URL("schemas/", root)).filter((file) => /^io\.|^asyncapi/.test(file));
    expect(committed.map((file) => `schemas/${file}`).toSorted()).toEqual([...rendered.keys()].toSorted());
  });

  test("rendering twice gives the same bytes", async () => {
    expect(await renderSchemas()).toEqual(await renderSchemas());
  });
});

describe.for(byType)("%s", ([, contract]) => {
  const isValid = validatorOf(contract);
  const holds = (data: unknown): boolean => contract.data.safeParse(data).success;

  test("has a schema with an address, a title and a description", () => {
    const schema = jsonSchemaOf(contract);
    expect(schema).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $id: `https://auditflow.io/schemas/${contract.type}.schema.json`,
      title: expect.stringMatching(/^[A-Z][A-Za-z]+$/) as unknown,
      description: contract.description,
      type: "object",
    });
  });

  test("has examples that both the contract and its JSON Schema admit", () => {
    expect(contract.examples.length).toBeGreaterThan(0);
    expect(contract.examples.filter((example) => !holds(example) || !isValid(example))).toEqual([]);
  });

  test("lets further fields through unchanged", () => {
    const [example] = contract.examples;
    const data = { ...(example as object), a_later_field: { deep: [1] } };
    expect(contract.data.parse(data)).toEqual(data);
    expect(isValid(data)).toBe(true);
  });

  test("is judged alike by the contract and its JSON Schema, whatever is changed in an example", () => {
    let [admitted, refused] = [0, 0];
    fc.assert(
      fc.property(changedExample(contract), (data) => {
        expect(isValid(data)).toBe(holds(data));
        if (holds(data)) admitted++;
        else refused++;
      }),
      { numRuns: 1500 },
    );
    expect(admitted).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
  });
});

const replacement = fc.oneof(
  jsonData,
  fc.constantFrom(
    null,
    "",
    0,
    -1,
    1.5,
    true,
    [],
    {},
    [null],
    "x".repeat(257),
    "x".repeat(1025),
    "x".repeat(4097),
  ),
  fc.constantFrom(
    "2026-11-21T12:00:00Z",
    "2026-11-21T12:00:00+00:00Z",
    "2026-11-21T12:00:00",
    "open",
    "HIGH",
  ),
  fc.constantFrom(
    "user_login",
    "User.Login-1",
    "1a",
    "a b",
    "N/A",
    "203.0.113.7",
    "9B0C7F0A-7A44-5A0E-8F6A-6A0D8F1D2C3B",
  ),
  fc.constant(undefined),
);

/** An example with one or two of its members, at any depth, replaced, removed or added. */
function changedExample(contract: Contract): fc.Arbitrary<unknown> {
  const names = namesIn(jsonSchemaOf(contract));
  const edit = fc.tuple(fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 2 }), replacement);
  return fc
    .tuple(fc.constantFrom(...contract.examples), fc.array(edit, { minLength: 1, maxLength: 2 }))
    .map(([example, edits]) => edits.reduce((data, [path, value]) => withMember(data, path, value), example));
}

function namesIn(schema: unknown): readonly string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { properties, ...rest } = schema as { properties?: object };
  const own = properties ? Object.entries(properties) : [];
  return [
    ...own.flatMap(([name, inner]) => [name, ...namesIn(inner)]),
    ...Object.values(rest).flatMap(namesIn),
  ];
}

function withMember(data: unknown, [name = "", ...rest]: readonly string[], value: unknown): unknown {
  if (typeof data !== "object" || data === null || Array.isArray(data)) return data;
  const members = data as Record<string, unknown>;
  const inner =
    rest.length > 0 && members[name] !== undefined ? withMember(members[name], rest, value) : value;
  // As JSON: a member that is undefined is none.
  return JSON.parse(JSON.stringify({ ...members, [name]: inner })) as unknown;
}

describe("asyncapi.yaml", () => {
  test("names every contract once, with an operation and its schema", async () => {
    const rendered = await renderSchemas();
    const document = parse(rendered.get("schemas/asyncapi.yaml") ?? "") as {
      asyncapi: string;
      channels: { broker: { messages: Record<string, { $ref: string }> } };
      operations: Record<string, { messages: readonly { $ref: string }[] }>;
      components: { messages: Record<string, { name: string; payload: { $ref: string } }> };
    };
    expect(document.asyncapi).toBe("3.0.0");
    const messages = Object.values(document.components.messages);
    expect(messages.map(({ name }) => name)).toEqual(contracts.map(({ type }) => type));
    for (const { payload } of messages)
      expect(rendered.has(payload.$ref.replace("./", "schemas/"))).toBe(true);
    for (const { $ref } of Object.values(document.channels.broker.messages))
      expect(resolve(document, $ref)).toBeDefined();
    const operated = Object.values(document.operations).flatMap(({ messages }) => messages);
    expect(operated.map(({ $ref }) => resolve(document, $ref))).toHaveLength(contracts.length);
    for (const { $ref } of operated) expect(resolve(document, $ref)).toBeDefined();
  });
});

function resolve(document: unknown, reference: string): unknown {
  const names = reference.replace("#/", "").split("/");
  return names.reduce((value, name) => (value as Record<string, unknown> | undefined)?.[name], document);
}
