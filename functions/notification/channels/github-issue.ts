import { z } from "zod";

import { parseAnswer } from "./answer-json.ts";
import { ChannelError, type ChannelDeps, defineChannel, type Outgoing, type Receipt } from "./channel.ts";
import { exchange, jsonRequest, judgeStatus, toReceipt, type Verdict } from "./exchange.ts";
import type { GuardedAnswer } from "./guard.ts";
import { render, type Rendering } from "./render.ts";
import { capped } from "./retry-after.ts";
import { plainApiUrl, secretReference } from "./secret.ts";
import { checkToken, timeoutSetting } from "./settings.ts";
import { templateSetting } from "./template.ts";
import { fit } from "./text.ts";

const settings = z.strictObject({
  repository: z
    .string()
    .regex(/^(?!\.)[A-Za-z0-9_.-]{1,100}\/(?!\.{1,2}$)[A-Za-z0-9_.-]{1,100}$/, {
      error: "must be owner/name",
    })
    .meta({ description: "where issues are opened", examples: ["example/security"] }),
  token: secretReference.meta({
    description: "a token that may read and write issues of the repository",
    examples: [{ env: "GITHUB_TOKEN" }],
  }),
  labels: z
    .array(z.string().min(1).max(50))
    .max(20)
    .default([])
    .meta({ description: "labels of every issue", examples: [["security"]] }),
  assignees: z.array(z.string().min(1).max(100)).max(10).default([]).meta({ description: "who is assigned" }),
  api_url: plainApiUrl
    .default("https://api.github.com")
    .meta({ description: "the API of a GitHub Enterprise Server: https://host/api/v3" }),
  template: templateSetting,
  timeout_ms: timeoutSetting,
});
type Settings = z.infer<typeof settings>;

/**
 * Opens one issue for a message: 201 is success. An issue that an earlier attempt opened is found by the
 * delivery's id in its first line, so that there is no second one. 401, 404, 410 (issues are turned off)
 * and 422 stay; 429, and 403 with the limit used up, pass when the limit is renewed, which GitHub tells in
 * `Retry-After` or `X-RateLimit-Reset`; 5xx may pass.
 */
export const githubIssue = defineChannel({
  type: "github-issue",
  description: "An issue in a GitHub repository.",
  settings,
  open(options, deps) {
    const readToken = deps.secrets.open(options.token, checkToken);
    return async (outgoing, given) => {
      // All requests together are one attempt.
      const signal = AbortSignal.any([given, AbortSignal.timeout(options.timeout_ms)]);
      const github = createGitHub(options, readToken(), deps);
      const known = await github.find(outgoing, signal);
      return known ?? github.create(outgoing, signal);
    };
  },
});

/** Issues looked through for one of an earlier attempt: pages, and issues on each. */
const search = { pages: 5, size: 30, maxBytes: 4_194_304 } as const;
const dayMs = 86_400_000;

function createGitHub(options: Settings, token: string, deps: ChannelDeps) {
  const { template, timeout_ms: timeoutMs } = options;
  const url = `${options.api_url.replace(/\/$/, "")}/repos/${options.repository}/issues`;
  const headers = {
    accept: "application/vnd.github+json",
    authorization: `Bearer ${token}`,
    "user-agent": "auditflow",
    "x-github-api-version": "2022-11-28",
  };
  return {
    /** The issue that an earlier attempt opened, among the newest and not those last changed before the message. */
    async find({ id, message }: Outgoing, signal: AbortSignal): Promise<Receipt | undefined> {
      const since = new Date(Math.min(Date.parse(message.timestamp), deps.now()) - dayMs).toISOString();
      const query = `state=all&sort=created&direction=desc&since=${since}&per_page=${search.size}`;
      for (let page = 1; page <= search.pages; page++) {
        const request = { url: `${url}?${query}&page=${page}`, method: "GET", headers, body: "", timeoutMs };
        const found = readIssues(await deps.post({ ...request, signal, maxBytes: search.maxBytes }), deps);
        const known = found.find(({ body }) => body?.startsWith(markerOf(id)));
        if (known)
          return { status: 200, response: `Issue ${known.number} was opened by an earlier attempt.` };
        if (found.length < search.size) return undefined;
      }
      return undefined;
    },
    create({ id, message }: Outgoing, signal: AbortSignal): Promise<Receipt> {
      const { labels, assignees } = options;
      const body = { ...toIssue(render(message, template), id), labels, assignees };
      const request = jsonRequest({ url, id, body, headers, timeoutMs });
      const retryAfterMs = (answer: GuardedAnswer) => renewalMs(answer, deps.now());
      return exchange({ request, signal, receiver: "GitHub", judge, retryAfterMs }, deps);
    },
  };
}

/** The issues of an answer; one that is none fails the attempt. */
function readIssues(answer: GuardedAnswer, deps: ChannelDeps): readonly Issue[] {
  const verdict = judge(answer);
  if (verdict !== "delivered") {
    const asked = renewalMs(answer, deps.now());
    throw new ChannelError(`GitHub answered ${answer.status}.`, verdict === "passing", {
      ...toReceipt(answer, deps),
      ...(asked !== undefined && { retryAfterMs: asked }),
    });
  }
  const { data } = issues.safeParse(parseAnswer(answer.body));
  // Cut off, perhaps; taken for empty it would lead to a second issue.
  if (data === undefined) throw new ChannelError("GitHub's list of issues cannot be read.", true);
  return data;
}

const issues = z.array(z.object({ number: z.number(), body: z.string().nullish() }));
type Issue = z.infer<typeof issues>[number];

/** GitHub's own limits, in characters. */
const limits = { title: 256, body: 65_536 } as const;

/** Title and body of an issue. Texts of alerts stand in a code block: no Markdown, no @mention, no #reference. */
function toIssue(
  { title, text, facts, items, omitted, link }: Rendering,
  id: string,
): { readonly title: string; readonly body: string } {
  const parts = [
    text,
    facts.map(({ label, value }) => `${label}: ${value}`).join("\n"),
    [...items, ...(omitted > 0 ? [`… and ${omitted} more`] : [])].join("\n"),
  ];
  const told = fit(parts.filter((part) => part !== "").join("\n\n"), limits.body - 5000);
  // A longer run than a fence can have is cut: nothing of an alert may end the block.
  const inside = told.replaceAll(/`{100,}/g, "`".repeat(99));
  const fence = "`".repeat(Math.max(3, longestRun(inside) + 1));
  const foot =
    link === undefined ? "" : `\n\n[Open in AuditFlow](<${link.replaceAll(/[<>]/g, encodeURIComponent)}>)`;
  return {
    title: fit(title, limits.title) || "(no title)",
    body: `${markerOf(id)}\n${fence}text\n${inside}\n${fence}${foot}`,
  };
}

/** The first line of an issue, which is not shown. */
function markerOf(id: string): string {
  return `<!-- auditflow delivery ${id} -->`;
}

function longestRun(text: string): number {
  return (text.match(/`+/g) ?? []).reduce((longest, run) => Math.max(longest, run.length), 0);
}

function judge(answer: GuardedAnswer): Verdict {
  const isLimited =
    answer.status === 403 &&
    (answer.headers["x-ratelimit-remaining"] === "0" || answer.headers["retry-after"] !== undefined);
  return isLimited ? "passing" : judgeStatus(answer);
}

/** When the limit is renewed, in milliseconds from now. */
function renewalMs(answer: GuardedAnswer, now: number): number | undefined {
  if (answer.retryAfterMs !== undefined) return answer.retryAfterMs;
  if (answer.headers["x-ratelimit-remaining"] !== "0") return undefined;
  const seconds = Number(answer.headers["x-ratelimit-reset"]);
  return Number.isFinite(seconds) ? capped(seconds * 1000 - now) : undefined;
}
