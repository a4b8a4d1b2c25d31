import { z } from "zod";

import { CliError, exitCode } from "../exit-code.ts";
import { request, type Target, tokenHint } from "../target.ts";
import type { InputRecord, RecordKind } from "./record.ts";
import { parseJson } from "../json.ts";

/** What became of one record. */
export interface Outcome {
  readonly line: number;
  readonly status: number;
  readonly id?: string | undefined;
  /** Why it was refused. */
  readonly detail?: string | undefined;
}

/** One route of the generator and how several records are put into one request to it. */
interface Route {
  readonly path: string;
  readonly contentType: string;
  readonly join: (values: readonly unknown[]) => string;
}

const ndjson = (values: readonly unknown[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join("");

const lines = (values: readonly unknown[]): string => values.map((value) => `${String(value)}\n`).join("");

const routes: Readonly<Record<RecordKind, Route>> = {
  event: { path: "/events", contentType: "application/x-ndjson", join: ndjson },
  cloudevent: {
    path: "/events",
    contentType: "application/cloudevents-batch+json",
    join: (values) => JSON.stringify(values),
  },
  kubernetes: { path: "/sources/kubernetes", contentType: "application/x-ndjson", join: ndjson },
  github: { path: "/sources/github", contentType: "application/x-ndjson", join: ndjson },
  cloudtrail: { path: "/sources/cloudtrail", contentType: "application/x-ndjson", join: ndjson },
  okta: { path: "/sources/okta", contentType: "application/x-ndjson", join: ndjson },
  gcp: { path: "/sources/gcp", contentType: "application/x-ndjson", join: ndjson },
  "azure-activity": { path: "/sources/azure-activity", contentType: "application/x-ndjson", join: ndjson },
  falco: { path: "/sources/falco", contentType: "application/x-ndjson", join: ndjson },
  sshd: { path: "/sources/sshd", contentType: "text/plain; charset=utf-8", join: lines },
  "web-access": { path: "/sources/web-access", contentType: "text/plain; charset=utf-8", join: lines },
};

const answer = z.object({
  results: z.array(
    z.object({
      index: z.int(),
      status: z.int(),
      id: z.string().optional(),
      problem: z.looseObject({ detail: z.string().optional(), title: z.string().optional() }).optional(),
    }),
  ),
});

const denial = z.looseObject({ detail: z.string() });

/** A request as it goes out. */
export interface EmitRequest {
  readonly url: URL;
  readonly contentType: string;
  readonly body: string;
}

/** The request that would carry these records, which must all be of one kind. */
export function requestFor(base: string, records: readonly InputRecord[]): EmitRequest {
  const { path, contentType, join } = routes[records[0]?.kind ?? "event"];
  return { url: new URL(path, base), contentType, body: join(records.map(({ value }) => value)) };
}

/** Sends records of one kind in one request; answers per record, in their order. */
export async function post(
  { base, headers }: Target,
  records: readonly InputRecord[],
): Promise<readonly Outcome[]> {
  const { url, contentType, body } = requestFor(base, records);
  const sent = { ...headers, "content-type": contentType };
  const response = await request(url, { method: "POST", headers: sent, body });
  const text = await response.text();
  if (response.status === 401 || response.status === 403) {
    const detail =
      denial.safeParse(parseJson(text)).data?.detail ?? `${url.href} answered ${response.status}.`;
    const hint = response.status === 401 ? ` ${tokenHint}` : "";
    throw new CliError(`${detail}${hint}`, exitCode.denied);
  }
  const parsed = answer.safeParse(parseJson(text));
  if (parsed.success) {
    return parsed.data.results.map(({ index, status, id, problem }) => {
      const line = records[Math.min(index, records.length - 1)]?.line ?? 0;
      return { line, status, id, detail: problem?.detail ?? problem?.title };
    });
  }
  if (response.status === 429 || response.status >= 500) {
    throw new CliError(
      `${url.href} answered ${response.status}: ${text.slice(0, 300)}`,
      exitCode.unreachable,
    );
  }
  return records.map(({ line }) => ({ line, status: response.status, detail: text.slice(0, 300) }));
}
