import { z } from "@hono/zod-openapi";

/** A problem document (RFC 9457). */
export const problemSchema = z.object({
  type: z.string().openapi({ description: "Which kind of problem, and where it is explained." }),
  title: z.string(),
  status: z.int(),
  detail: z.string().openapi({ description: "The place, the value and what is allowed." }),
  instance: z.string().optional().openapi({ description: "`urn:trace:` and the id of the request's trace." }),
  errors: z
    .array(
      z.object({
        pointer: z.string().optional().openapi({ description: "JSON Pointer into the body." }),
        parameter: z.string().optional(),
        header: z.string().optional(),
        detail: z.string(),
        code: z.string(),
      }),
    )
    .optional(),
});
