import { quote } from "../../events/invalid-event.ts";
import { essenceOf } from "../../events/media-type.ts";
import { RequestError } from "./problem.ts";

/**
 * The media type of a request, which must be one of the allowed; the first of them when it says none.
 * What curl says when nobody told it the type is refused, because forms are not read here.
 */
export function mediaTypeOf<const Allowed extends string>(
  request: Request,
  allowed: readonly [Allowed, ...Allowed[]],
): Allowed {
  const header = request.headers.get("content-type");
  if (header === null || header === "") return allowed[0];
  const essence = essenceOf(header);
  const found = allowed.find((type) => type === essence);
  if (found !== undefined) return found;
  throw new RequestError(
    "MEDIA_TYPE_UNSUPPORTED",
    `Content-Type is ${quote(header)}: expected one of ${allowed.join(", ")}.`,
  );
}

/** The whole body; the runtime has seen to it that it is not too large and not compressed. */
export async function readBody(request: Request): Promise<Buffer> {
  return Buffer.from(await request.arrayBuffer());
}
