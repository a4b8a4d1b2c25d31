import { describe, expect, test } from "vitest";

import { ManifestError, parseManifests } from "./manifests.ts";

const broker = `
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata:
  name: main
`;
const service = `
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: analysis
`;
const trigger = (spec: string, annotations = "") => `apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: t
${annotations}spec:
  broker: main
  subscriber:
    ref: {kind: Service, name: analysis}
${spec}`;

const parse = (...texts: readonly string[]) =>
  parseManifests(texts.map((text, index) => ({ file: `file-${index}.yaml`, text })));

describe("manifests", () => {
  test("say what is routed where, in as many documents and files as they like", () => {
    const spec = `
  filter: {attributes: {type: x}}
  delivery: {retry: 8, backoffPolicy: linear, backoffDelay: PT0.2S, timeout: PT25S, deadLetterSink: {uri: "http://d/"}}`;
    const annotations = `  annotations: {rabbitmq.eventing.knative.dev/parallelism: "20"}\n`;
    const other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n";
    const manifests = parse([broker, service, other].join("---\n"), trigger(spec, annotations));
    expect(manifests).toEqual({
      namespace: "auditflow",
      broker: { name: "main", queueType: "quorum", delivery: undefined },
      services: ["analysis"],
      triggers: [
        {
          name: "t",
          broker: "main",
          filter: { type: "x" },
          subscriber: { service: "analysis", uri: undefined },
          parallelism: 20,
          delivery: {
            retry: 8,
            backoffPolicy: "linear",
            backoffDelayMs: 200,
            timeoutMs: 25_000,
            deadLetterSink: { service: undefined, uri: "http://d/" },
          },
          place: "file-1.yaml:1",
        },
      ],
    });
  });

  test("without filter, delivery and annotation route everything, one at a time", () => {
    const [only] = parse(broker, service, trigger("")).triggers;
    expect(only).toMatchObject({ filter: {}, parallelism: 1, delivery: undefined });
  });

  test.for([
    [
      "filters",
      "  filters:\n    - exact: {type: x}",
      "MANIFEST_INVALID",
      /file-2\.yaml:10: .*filter\.attributes/,
    ],
    [
      "a misspelt delivery option",
      "  delivery:\n    retries: 8",
      "MANIFEST_INVALID",
      /file-2\.yaml:10: .*retries/,
    ],
    [
      "a retry that is no number",
      "  delivery:\n    retry: many",
      "MANIFEST_INVALID",
      /file-2\.yaml:10: .*retry/,
    ],
    ["a Go duration", "  delivery:\n    timeout: 25s", "MANIFEST_INVALID", /file-2\.yaml:10: .*PT0\.2S/],
    ["a timeout of nothing", "  delivery:\n    timeout: PT0S", "MANIFEST_INVALID", /positive/],
    [
      "a backoff policy nobody knows",
      "  delivery:\n    backoffPolicy: none",
      "MANIFEST_INVALID",
      /exponential/,
    ],
    [
      "an attribute name nobody may use",
      "  filter:\n    attributes:\n      Type: x",
      "MANIFEST_INVALID",
      /:11: /,
    ],
    [
      "a filter value that is no text",
      "  filter:\n    attributes:\n      level: 5",
      "MANIFEST_INVALID",
      /:11: .*string/,
    ],
    [
      "a dead letter sink nobody runs",
      "  delivery:\n    deadLetterSink:\n      ref: {kind: Service, name: lost}",
      "MANIFEST_SERVICE_UNKNOWN",
      /file-2\.yaml:11: .*'lost'; there are analysis/,
    ],
    ["a relative uri alone", "  delivery: {deadLetterSink: {uri: /x}}", "MANIFEST_INVALID", /absolute/],
  ] as const)("with %s are refused, naming the place", ([, spec, code, message]) => {
    const refused = catchError(() => parse(broker, service, trigger(spec)));
    expect(refused).toMatchObject({ code });
    expect(refused.message).toMatch(message);
  });

  test.for([["0"], ["1001"], ["many"]])("with a parallelism of %s are refused", ([value]) => {
    const annotations = `  annotations: {rabbitmq.eventing.knative.dev/parallelism: "${value}"}\n`;
    expect(() => parse(broker, service, trigger("", annotations))).toThrow(/parallelism is 1 to 1000/);
  });

  test.for([
    ["no Broker", [service], "MANIFEST_BROKER"],
    ["two Brokers", [broker, broker], "MANIFEST_BROKER"],
    [
      "a Trigger of another Broker",
      [broker.replace("main", "other"), service, trigger("")],
      "MANIFEST_BROKER_UNKNOWN",
    ],
    ["a subscriber nobody runs", [broker, trigger("")], "MANIFEST_SERVICE_UNKNOWN"],
    ["a Trigger twice", [broker, service, trigger(""), trigger("")], "MANIFEST_DUPLICATE"],
    ["broken YAML", ["a: [", broker], "MANIFEST_YAML"],
  ] as const)("with %s are refused", ([, texts, code]) => {
    expect(catchError(() => parse(...texts))).toMatchObject({ code });
  });
});

function catchError(act: () => unknown): ManifestError {
  try {
    act();
  } catch (error) {
    if (error instanceof ManifestError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}
