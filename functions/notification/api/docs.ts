import type { Context, Hono } from "hono";

import type { ApiDeps } from "./deps.ts";
import { renderDocs } from "./docs-page.ts";
import { type OpenApiDocument, renderOpenApi } from "./document.ts";
import { htmlPage, styleSheet } from "./html.ts";
import { listProblems, showProblem } from "./problem-pages.ts";

/** What explains the API: nobody is asked who they are for it. */
export function addDocs(app: Hono, { access: { notice }, docs }: ApiDeps): void {
  let rendered: OpenApiDocument | undefined;
  const document = () => (rendered ??= renderOpenApi());
  const send = (context: Context) => context.json(document());
  app.get("/openapi.json", send);
  app.get("/api/v1/openapi.json", send);
  app.get("/problems", ({ req: { raw: request } }) => listProblems({ request, notice }));
  app.get("/problems/:name", ({ req }) => showProblem(req.param("name"), { request: req.raw, notice }));
  app.get("/docs.css", styleSheet);
  if (!docs) return;
  app.get("/docs", () => htmlPage({ title: "AuditFlow API", body: renderDocs(document()), notice }));
}
