import type { OpenApiDocument } from "./document.ts";
import { escapeHtml } from "./html.ts";
import { toInlineCode } from "./problem-pages.ts";
import { describeSchema, type Json, memberOf, type Node, nodesOf } from "./schema-text.ts";

/** The document as HTML: every operation folded up, so that the page can be looked over and searched. */
export function renderDocs(document: OpenApiDocument): string {
  // What is read here is JSON, whatever the types of its maker say.
  const root: Json = JSON.parse(JSON.stringify(document));
  const paths = Object.entries(nodesOf(memberOf(root, "paths")));
  const all = paths.flatMap(([path, methods]) =>
    Object.entries(nodesOf(methods)).map(([method, node]) => ({ method, path, node })),
  );
  const tags = toList(memberOf(root, "tags")).map((tag) => {
    const name = textOf(tag, "name");
    const own = all.filter(({ node }) => toList(memberOf(node, "tags")).includes(name));
    return own.length === 0 ? "" : section(name, textOf(tag, "description"), own);
  });
  const info = memberOf(root, "info");
  const schemas = Object.entries(nodesOf(memberOf(memberOf(root, "components"), "schemas")));
  return `<h1>${escapeHtml(textOf(info, "title"))} API</h1>
<p>${toInlineCode(textOf(info, "description"))}</p>
<p><a href="/openapi.json">The OpenAPI document</a> · <a href="/problems">Problems</a></p>
${tags.join("\n")}
<h2 id="schemas">Schemas</h2>
${schemas.map(([name, schema]) => schemaSection(name, schema)).join("\n")}`;
}

interface Entry {
  readonly method: string;
  readonly path: string;
  readonly node: Json;
}

function section(name: string, description: string, entries: readonly Entry[]): string {
  return `<h2 id="${anchor(name)}">${escapeHtml(name)}</h2>
<p>${toInlineCode(description)}</p>
${entries.map(operationSection).join("\n")}`;
}

function operationSection({ method, path, node }: Entry): string {
  const parameters = toList(memberOf(node, "parameters")).map(parameterRow);
  const body = memberOf(
    memberOf(memberOf(memberOf(node, "requestBody"), "content"), "application/json"),
    "schema",
  );
  const answers = Object.entries(nodesOf(memberOf(node, "responses"))).map(answerRow);
  return `<details id="${escapeHtml(textOf(node, "operationId"))}">
<summary><span class="method">${method.toUpperCase()}</span> <code>${escapeHtml(path)}</code> ${escapeHtml(textOf(node, "summary"))}</summary>
<p>${toInlineCode(textOf(node, "description"))}</p>
${table(["Parameter", "In", "Values", "Meaning"], parameters)}
${body === undefined ? "" : `<h3>Body</h3>\n${describeSchema(body)}`}
<h3>Answers</h3>
${table(["Status", "Body", "Meaning"], answers)}
<h3>Try it</h3>
<pre tabindex="0"><code>${escapeHtml(curlOf({ method, path, node }))}</code></pre>
</details>`;
}

function parameterRow(parameter: Json): readonly string[] {
  const name = `<code>${escapeHtml(textOf(parameter, "name"))}</code>${memberOf(parameter, "required") === true ? " (required)" : ""}`;
  const schema = memberOf(parameter, "schema");
  const meaning = textOf(parameter, "description") || textOf(schema, "description");
  return [name, escapeHtml(textOf(parameter, "in")), describeSchema(schema), toInlineCode(meaning)];
}

function answerRow([status, answer]: readonly [string, Json]): readonly string[] {
  const contents = Object.entries(nodesOf(memberOf(answer, "content")));
  const bodies = contents.map(([type, content]) => {
    const isProblem = type === "application/problem+json";
    return `<code>${escapeHtml(type)}</code> ${isProblem ? "" : describeSchema(memberOf(content, "schema"))}`;
  });
  return [status, bodies.join("<br>"), toInlineCode(textOf(answer, "description"))];
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const head = heads.map((text) => `<th scope="col">${text}</th>`).join("");
  const body = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`);
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join("\n")}</tbody></table>`;
}

function schemaSection(name: string, schema: Json): string {
  return `<details id="schema-${escapeHtml(name)}"><summary>${escapeHtml(name)}</summary>\n${describeSchema(schema)}\n</details>`;
}

/** A request that can be pasted into a shell. */
function curlOf({ method, path, node }: Entry): string {
  const asks = method === "get" ? "" : ` -X ${method.toUpperCase()}`;
  const ifMatch = toList(memberOf(node, "parameters")).some((one) => textOf(one, "name") === "If-Match");
  const content = memberOf(memberOf(memberOf(node, "requestBody"), "content"), "application/json");
  const lines = [
    `curl -s${asks} "$AUDITFLOW_URL${path.replaceAll(/\{(\w+)\}/g, "$$$1")}"`,
    `-H "Authorization: Bearer $AUDITFLOW_TOKEN"`,
    ...(ifMatch ? [`-H 'If-Match: *'`] : []),
    ...(content === undefined ? [] : [`-H 'Content-Type: application/json'`, `-d '{}'`]),
  ];
  return lines.join(" \\\n  ");
}

function anchor(name: string): string {
  return name.replaceAll(/\W+/g, "-");
}

function textOf(node: Json | undefined, name: string): string {
  const value = memberOf(node, name);
  return typeof value === "string" ? value : "";
}

function toList(node: Node): readonly Json[] {
  return Array.isArray(node) ? node : [];
}
