import { z } from "@hono/zod-openapi";

import { severities } from "../../alert-view.ts";
import { facetKeys } from "./alert.ts";
import { instant } from "./values.ts";

const examined = z.int().openapi({ description: "Alerts that were looked at, the newest ones." });
const capped = z.boolean().openapi({ description: "There are more, which were not counted." });

export const facetsSchema = z
  .object({
    facets: z.partialRecord(
      z.enum(facetKeys),
      z.array(
        z.object({
          value: z.string().nullable().openapi({ description: "null: those without a value." }),
          count: z.int(),
        }),
      ),
    ),
    examined,
    capped,
  })
  .openapi("Facets");

export const histogramSchema = z
  .object({
    bucket_ms: z.number().openapi({ description: "The width of every step." }),
    buckets: z.array(
      z.object({
        start: instant,
        count: z.int(),
        severities: z.partialRecord(z.enum(severities), z.int()),
      }),
    ),
    examined,
    capped,
  })
  .openapi("Histogram");
