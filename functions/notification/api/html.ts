/** Text as HTML shows it, also inside of a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** What a page of ours may do: read our style. Nothing runs, nothing is loaded from anywhere else. */
const securityHeaders = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "",
} as const;

export interface PageParts {
  readonly title: string;
  /** HTML. */
  readonly body: string;
  /** Said on top of every page, such as that nobody is asked who they are. */
  readonly notice: string | undefined;
  readonly status?: number;
}

/** A page of ours as an answer. */
export function htmlPage({ title, body, notice, status = 200 }: PageParts): Response {
  const banner = notice === undefined ? "" : `<p class="notice" role="note">${escapeHtml(notice)}</p>`;
  const text = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="/docs.css">
</head>
<body>
<a class="skip" href="#main">To the content</a>
${banner}<main id="main" tabindex="-1">
${body}
</main>
</body>
</html>
`;
  return new Response(text, {
    status,
    headers: { ...securityHeaders, "content-type": "text/html; charset=utf-8" },
  });
}

/** The style of our pages. */
export function styleSheet(): Response {
  return new Response(style, {
    headers: { "content-type": "text/css; charset=utf-8", "x-content-type-options": "nosniff" },
  });
}

const style = `:root { color-scheme: light dark; --line: #8886; --soft: #8881; --mark: #0a58ca; }
@media (prefers-color-scheme: dark) { :root { --mark: #7db2ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; }
h1, h2, h3 { line-height: 1.2; }
a { color: var(--mark); }
a:focus-visible, summary:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.9em; }
pre { overflow-x: auto; padding: 0.75rem; background: var(--soft); border-radius: 0.25rem; }
table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid var(--line); padding: 0.25rem 0.75rem 0.25rem 0; text-align: left; vertical-align: top; }
details { border: 1px solid var(--line); border-radius: 0.25rem; margin: 0.5rem 0; padding: 0.5rem 0.75rem; }
summary { cursor: pointer; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; }
.notice { border: 2px solid currentColor; padding: 0.5rem 0.75rem; font-weight: 700; }
.skip { position: absolute; left: -99rem; }
.skip:focus { position: static; }
`;

/** Whether the client is a browser that wants to show something to a person. */
export function wantsHtml(request: Request): boolean {
  const accept = request.headers.get("accept") ?? "";
  const html = accept.search(/text\/html/i);
  const plain = accept.search(/application\/(?:problem\+)?json/i);
  return html >= 0 && (plain < 0 || html < plain);
}
