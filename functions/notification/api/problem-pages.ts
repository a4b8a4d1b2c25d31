import { json } from "./answer.ts";
import { escapeHtml, htmlPage, wantsHtml } from "./html.ts";
import { isProblemName, problem, type ProblemKind, problemKinds } from "./problems.ts";

interface Reading {
  readonly request: Request;
  readonly notice: string | undefined;
}

/** `GET /problems`: the catalogue, for programs as JSON and for browsers as a page. */
export function listProblems({ request, notice }: Reading): Response {
  const entries = Object.entries<ProblemKind>(problemKinds);
  if (!wantsHtml(request)) return json({ items: entries.map(([name, kind]) => toItem(name, kind)) });
  const rows = entries.map(
    ([name, { status, title }]) =>
      `<tr><td><a href="/problems/${name}"><code>${name}</code></a></td><td>${status}</td><td>${escapeHtml(title)}</td></tr>`,
  );
  const table = `<table><thead><tr><th scope="col">Problem</th><th scope="col">Status</th><th scope="col">Title</th></tr></thead><tbody>${rows.join("\n")}</tbody></table>`;
  return htmlPage({ title: "Problems of the API", body: `<h1>Problems of the API</h1>\n${table}`, notice });
}

/** `GET /problems/{name}`: what a problem means and what to do. */
export function showProblem(name: string, { request, notice }: Reading): Response {
  if (!isProblemName(name)) {
    throw problem("not-found", {
      detail: `There is no problem ${JSON.stringify(name.slice(0, 80))}; see /problems.`,
    });
  }
  const kind: ProblemKind = problemKinds[name];
  if (!wantsHtml(request)) return json(toItem(name, kind));
  const body = `<h1>${escapeHtml(kind.title)}</h1>
<p><code>${name}</code>, status ${kind.status}</p>
<h2>What it means</h2>
<p>${toInlineCode(kind.meaning)}</p>
<h2>What to do</h2>
<p>${toInlineCode(kind.remedy)}</p>
<p><a href="/problems">All problems</a></p>`;
  return htmlPage({ title: kind.title, body, notice });
}

function toItem(name: string, { status, title, meaning, remedy }: ProblemKind) {
  return { type: `/problems/${name}`, title, status, meaning, remedy };
}

/** Escaped, with what stands between backticks as code. */
export function toInlineCode(text: string): string {
  return escapeHtml(text).replaceAll(/`([^`]*)`/g, "<code>$1</code>");
}
