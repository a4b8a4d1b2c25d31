import { setTimeout as sleep } from "node:timers/promises";

import { type AuditRecorded, auditRecorded } from "../../events/contracts/audit-recorded.ts";
import { createEvent } from "../../events/envelope.ts";
import type { Event } from "../../events/event.ts";
import { encodeBinary } from "../../events/http.ts";
import { toInstant } from "../../events/time.ts";

export type AuditEvent = Event<AuditRecorded>;

export interface TrafficOptions {
  readonly count: number;
  readonly random: () => number;
  /** When the first of them happened, epoch milliseconds. */
  readonly from: number;
  /** Over how long they happened. */
  readonly spanMs: number;
}

/**
 * Numbered events in the order they happened: bursts of failed logins of 20 users and on 8 hosts, single
 * failures of 200 others, and now and then an edit of a sensitive file.
 */
export function createTraffic({ count, random, from, spanMs }: TrafficOptions): readonly AuditEvent[] {
  const pick = (limit: number) => Math.floor(random() * limit);
  const happened: { readonly at: number; readonly data: AuditRecorded }[] = [];
  while (happened.length < count) {
    const at = from + pick(spanMs);
    const kind = random();
    if (kind < 0.03) happened.push({ at, data: fileEdit(pick(200)) });
    else if (kind < 0.8) happened.push({ at, data: failure(`other-${pick(200)}`, pick(80)) });
    else {
      const [user, host, size] = [pick(20), pick(8), 3 + pick(9)];
      const burst = Array.from({ length: size }, () => ({
        at: Math.min(at + pick(12_000), from + spanMs),
        data: failure(`user-${user}`, host),
      }));
      happened.push(...burst);
    }
  }
  return happened
    .slice(0, count)
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, data }, number) =>
      createEvent(auditRecorded, { id: `n${number}`, source: "/faults", time: toInstant(at), data }),
    );
}

function failure(user: string, host: number): AuditRecorded {
  return {
    event_type: "user_login",
    user_id: user,
    server_hostname: `host-${host}`,
    action_result: "FAILURE",
    details: { ip_address: "203.0.113.7" },
  };
}

function fileEdit(user: number): AuditRecorded {
  const details = { resource: "/etc/shadow" };
  return { event_type: "file_modified", user_id: `other-${user}`, server_hostname: "host-1", details };
}

export interface ClientOptions {
  /** Where events are POSTed; `undefined` while nothing answers there. */
  readonly url: () => string | undefined;
  readonly events: readonly AuditEvent[];
  /** Events a second. */
  readonly rate: number;
}

/** What a client went through until it had a `202` for each of its events. */
export interface ClientReport {
  readonly attempts: number;
  /** Attempts that ended without an answer: the event may have been accepted. */
  readonly unanswered: number;
  /** Answers other than 202, by status. */
  readonly refused: Readonly<Record<number, number>>;
}

const senders = 12;
const patienceMs = 10_000;
const pauseMs = 150;

/** POSTs each event, with the same id again and again until it is accepted. */
export async function sendAll({ url, events, rate }: ClientOptions): Promise<ClientReport> {
  const started = performance.now();
  const refused: Record<number, number> = {};
  const report = { attempts: 0, unanswered: 0, refused };

  async function offer(event: AuditEvent): Promise<boolean> {
    const target = url();
    if (target === undefined) return false;
    report.attempts += 1;
    try {
      const request = { method: "POST", signal: AbortSignal.timeout(patienceMs), ...messageOf(event) };
      const answer = await fetch(`${target}/`, request);
      await answer.body?.cancel();
      if (answer.status === 202) return true;
      refused[answer.status] = (refused[answer.status] ?? 0) + 1;
    } catch {
      report.unanswered += 1;
    }
    return false;
  }

  const waiting = events.entries();
  async function send(): Promise<void> {
    for (const [index, event] of waiting) {
      await sleep(Math.max(0, (index * 1000) / rate - (performance.now() - started)));
      while (!(await offer(event))) await sleep(pauseMs);
    }
  }

  await Promise.all(Array.from({ length: senders }, send));
  return report;
}

function messageOf(event: AuditEvent): { headers: Record<string, string>; body: Uint8Array<ArrayBuffer> } {
  const { headers, body } = encodeBinary(event);
  return { headers: { ...headers }, body: Uint8Array.from(body ?? []) };
}
