import { stringify } from "yaml";
import { z } from "zod";

import type { Contract } from "./contract.ts";
import { contracts } from "./contracts.ts";

/** Where the schemas say they live; `dataschema` of an event may point there. */
const schemaBase = "https://auditflow.io/schemas/";

/**
 * Every generated document: path from the repository's root -> text. The same contracts give the same
 * bytes. The JSON Schemas describe what a reader accepts, so fields may be added to each object.
 */
export function renderSchemas(): Promise<ReadonlyMap<string, string>> {
  const schemas = contracts.map(
    (contract) =>
      [`schemas/${fileOf(contract)}`, `${JSON.stringify(jsonSchemaOf(contract), undefined, 2)}\n`] as const,
  );
  return Promise.resolve(new Map([...schemas, ["schemas/asyncapi.yaml", asyncApi()]]));
}

/** The JSON Schema (2020-12) of a contract's data. */
export function jsonSchemaOf(contract: Contract): Readonly<Record<string, unknown>> {
  const { $schema, ...schema } = z.toJSONSchema(contract.data, {
    target: "draft-2020-12",
    // What is read, not what is left after reading: nothing in a contract transforms.
    io: "input",
    unrepresentable: "throw",
    // `contentEncoding` says it already, and JSON Schema knows no format of this name.
    override: ({ jsonSchema }) => {
      if (jsonSchema.format === "base64") delete jsonSchema.format;
    },
  });
  return {
    $schema,
    $id: schemaBase + fileOf(contract),
    title: titleOf(contract),
    description: contract.description,
    ...schema,
    examples: contract.examples,
  };
}

function fileOf({ type }: Contract): string {
  return `${type}.schema.json`;
}

/** `io.auditflow.audit.recorded.v1` -> `AuditRecorded`. */
function titleOf({ type }: Contract): string {
  const words = type.split(".").slice(2, -1);
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

/** AsyncAPI 3.0: the events AuditFlow takes in and the events it sends, as binary-mode CloudEvents. */
function asyncApi(): string {
  const document = {
    asyncapi: "3.0.0",
    info: {
      title: "AuditFlow",
      version: "1.0.0",
      description:
        "Audit events in, alerts out. Every message is a CloudEvent 1.0; this document shows the binary mode of its HTTP binding, and the structured mode is accepted as well.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    defaultContentType: "application/json",
    channels: {
      broker: {
        address: "/",
        title: "The broker's ingress",
        description: "POST one event; 202 once the broker has it. Triggers deliver by `type`.",
        messages: fromContracts((contract) => ({ $ref: `#/components/messages/${titleOf(contract)}` })),
      },
    },
    operations: Object.fromEntries(contracts.map(operationOf)),
    components: {
      messages: fromContracts(messageOf),
      messageTraits: { cloudEvent: { headers: headersSchema } },
    },
  };
  // YAML 1.1, which many readers still are, would take a bare date for a timestamp and NO for false.
  return stringify(document, { version: "1.1", lineWidth: 110, aliasDuplicateObjects: false });
}

function fromContracts(entry: (contract: Contract) => unknown): Record<string, unknown> {
  return Object.fromEntries(contracts.map((contract) => [titleOf(contract), entry(contract)]));
}

/** Anybody may send audit events; everything else AuditFlow says itself. */
function operationOf(contract: Contract): [string, unknown] {
  const title = titleOf(contract);
  const action = title === "AuditRecorded" ? "receive" : "send";
  const operation = {
    action,
    channel: { $ref: "#/channels/broker" },
    summary: contract.description,
    messages: [{ $ref: `#/channels/broker/messages/${title}` }],
  };
  return [action + title, operation];
}

function messageOf(contract: Contract): unknown {
  const title = titleOf(contract);
  return {
    name: contract.type,
    title,
    summary: contract.description,
    contentType: "application/json",
    headers: { type: "object", properties: { "ce-type": { type: "string", const: contract.type } } },
    payload: { $ref: `./${fileOf(contract)}` },
    examples: contract.examples.map((payload) => ({ payload })),
    traits: [{ $ref: "#/components/messageTraits/cloudEvent" }],
  };
}

const text = { type: "string", minLength: 1 } as const;

/** The context attributes as headers. */
const headersSchema = {
  type: "object",
  required: ["ce-specversion", "ce-id", "ce-source", "ce-type", "content-type"],
  properties: {
    "ce-specversion": { type: "string", const: "1.0" },
    "ce-id": { ...text, description: "Unique with ce-source; the same pair is the same event." },
    "ce-source": {
      ...text,
      format: "uri-reference",
      description: "/auditflow/<function>, or the sender's own.",
    },
    "ce-type": text,
    "ce-time": { type: "string", format: "date-time", description: "When it happened." },
    "ce-subject": { ...text, description: "The entity the event is about." },
    "ce-correlationid": { ...text, description: "What belongs to one story shares it." },
    "ce-causationid": { ...text, description: "The id of the event that caused this one." },
    "ce-partitionkey": { ...text, description: "Events that share it belong together." },
    "ce-severitytext": text,
    "ce-traceparent": { ...text, description: "The trace the event began in (W3C Trace Context)." },
    "content-type": { type: "string", const: "application/json" },
  },
} as const;
