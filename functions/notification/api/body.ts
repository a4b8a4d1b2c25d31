import { parseJson } from "../../../events/json.ts";
import { InvalidEventError } from "../../../events/invalid-event.ts";
import { problem } from "./problems.ts";

/** The largest body that is read: 1 MiB, as in the runtime in front. */
const maxBodyBytes = 1_048_576;

/** Nothing the API takes is nested nearly as deeply. */
const maxDepth = 16;

export interface Body {
  readonly text: string;
  /** `undefined` without a body. */
  readonly value: unknown;
}

/** Reads a JSON body. Throws `body-too-large`, `unsupported-media-type` and `malformed-json`. */
export async function readBody(request: Request): Promise<Body> {
  if (request.body === null || request.method === "GET" || request.method === "HEAD") {
    return { text: "", value: undefined };
  }
  const bytes = await readBytes(request);
  if (bytes.length === 0) return { text: "", value: undefined };
  checkMediaType(request.headers);
  try {
    return { text: bytes.toString("utf8"), value: parseJson(bytes, maxDepth) };
  } catch (error) {
    if (!(error instanceof InvalidEventError)) throw error;
    throw problem("malformed-json", { detail: error.message, cause: error });
  }
}

async function readBytes(request: Request): Promise<Buffer> {
  const bytes = Buffer.from(await request.arrayBuffer());
  if (bytes.length <= maxBodyBytes) return bytes;
  throw problem("body-too-large", {
    detail: `The body has ${bytes.length} bytes: expected at most ${maxBodyBytes}.`,
  });
}

function checkMediaType(headers: Headers): void {
  const given = headers.get("content-type") ?? "";
  const [type = "", ...parameters] = given.split(";").map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="));
  if (type === "application/json" && (charset === undefined || /^charset="?utf-8"?$/.test(charset))) return;
  throw problem("unsupported-media-type", {
    detail: `Content-Type ${given === "" ? "is missing" : JSON.stringify(given.slice(0, 100))}: expected application/json.`,
    headers: { accept: "application/json" },
  });
}
