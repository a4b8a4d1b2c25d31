import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";

import type { Document } from "./document.ts";
import { type FuzzRequest } from "./requests.ts";

/** Tells what is wrong with an answer; nothing when it is as the document says. */
export type Judge = (request: FuzzRequest, response: Response) => Promise<string | undefined>;

export function createJudge(document: Document): Judge {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema({ ...document, $id: "openapi" });
  const compiled = new Map<string, ValidateFunction>();

  /** The schema of an answer's content, by its place in the document. */
  function schemaOf(pointer: string): ValidateFunction {
    const known = compiled.get(pointer) ?? ajv.compile({ $ref: `openapi#${pointer}` });
    compiled.set(pointer, known);
    return known;
  }

  return async ({ operation, broken }, response) => {
    const { status } = response;
    const isEndless = operation.id === "streamAlerts" && status === 200;
    const text = isEndless ? "" : await response.text();
    if (isEndless) await response.body?.cancel();
    if (status >= 500) return `${status}: ${text}`;
    if (broken !== undefined && (status < 400 || status > 499)) return `${status} although it has ${broken}`;
    const answer = operation.responses[String(status)];
    if (answer === undefined) return `${status} is not documented: ${text.slice(0, 500)}`;
    if (response.headers.get("cache-control") !== "no-store") return "Cache-Control is missing";
    if (status === 304) return text === "" ? undefined : "a 304 with a body";
    const type = (response.headers.get("content-type") ?? "").split(";")[0] ?? "";
    const name = answer.$ref?.split("/").at(-1);
    const content = name === undefined ? answer.content : document.components.responses[name]?.content;
    if (content?.[type] === undefined) return `${type} is not documented for ${status}`;
    if (!type.endsWith("json") || type === "application/x-ndjson") return undefined;
    const place =
      name === undefined
        ? ["paths", operation.path, operation.method.toLowerCase(), "responses", String(status)]
        : ["components", "responses", name];
    const validate = schemaOf(
      [...place, "content", type, "schema"].map((step) => `/${escape(step)}`).join(""),
    );
    if (validate(JSON.parse(text))) return undefined;
    return `${status} is not as documented: ${ajv.errorsText(validate.errors)}: ${text.slice(0, 1000)}`;
  };
}

/** A step of a JSON Pointer in the fragment of a URI. */
function escape(step: string): string {
  return encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1"));
}
