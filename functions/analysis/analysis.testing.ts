import { pino } from "pino";

import { type AlertRaised, alertRaised } from "../../events/contracts/alert-raised.ts";
import { type AuditRecorded, auditRecorded } from "../../events/contracts/audit-recorded.ts";
import { createEvent } from "../../events/envelope.ts";
import type { Event } from "../../events/event.ts";
import { toInstant } from "../../events/time.ts";
import { noFailpoint } from "../../runtime/failpoints.ts";
import type { Sink } from "../../runtime/function.ts";
import type { Ledger } from "../../runtime/ledger/ledger.ts";
import { createMemoryLedger } from "../../runtime/ledger/memory.ts";
import { createMetrics } from "../../runtime/metrics.ts";
import { createMemoryState } from "../../runtime/state/memory.ts";
import type { State } from "../../runtime/state/state.ts";
import { createEvaluate } from "./correlation/evaluate.ts";
import { createRestore } from "./correlation/rebuild.ts";
import { createReplays } from "./correlation/replays.ts";
import { createSettlement } from "./correlation/settlement.ts";
import { createDetector, type DetectorDeps } from "./detector.ts";
import { compileRules } from "./rules/compile.ts";
import type { RuleSet } from "./sigma/rule-set.ts";

/** The clock of these tests; event times are told relative to it. */
export const testNow = Date.UTC(2026, 10, 21, 12, 0, 30);

/** A burst of failed logins per user and host, and a single-event rule, in words of their own. */
export const testRules = `
title: Failed login
id: failed-login
logsource: {category: authentication}
detection: {selection: {action_result: FAILURE}, condition: selection}
---
title: Failed login burst
id: burst
level: high
correlation:
  type: event_count
  rules: [failed-login]
  group-by: [user_id, server_hostname]
  timespan: 60s
  condition: {gte: 3}
---
title: Sensitive file modified
id: sensitive-file
level: critical
logsource: {category: file_change}
detection: {selection: {resource: /etc/shadow}, condition: selection}
`;

export function compileTestRules(text: string = testRules): RuleSet {
  return compileRules([{ file: "test.yml", text }]).ruleSet;
}

export interface TestAnalysisOptions extends Partial<Pick<DetectorDeps, "rules" | "failpoint">> {
  readonly state?: State;
  readonly ledger?: Ledger;
  readonly now?: () => number;
  readonly latenessMs?: number;
  readonly maxGroups?: number;
  readonly floodLimit?: number;
  readonly sink?: Sink;
}

/** A whole analysis in memory, without the host around it. */
export function createTestAnalysis(options: TestAnalysisOptions = {}) {
  const { now = () => testNow, latenessMs = 600_000, failpoint = noFailpoint } = options;
  const { maxGroups = 100_000, floodLimit = 0, sink = async () => undefined } = options;
  const state = options.state ?? createMemoryState({ now });
  const ledger = options.ledger ?? createMemoryLedger({ now });
  const ruleSet = options.rules?.() ?? compileTestRules();
  const rules = options.rules ?? (() => ruleSet);
  const metrics = createMetrics("analysis");
  const log = pino({ level: "silent" });
  const restore = createRestore({ state, ledger, now, latenessMs, metrics, log });
  const replays = createReplays({ ledger });
  const evaluate = createEvaluate({ state, restore, replays, latenessMs, now, metrics });
  const judging = { rules, ledger, evaluate, state, maxGroups, floodLimit };
  const detect = createDetector({ ...judging, failpoint, log, metrics });
  const settle = createSettlement({ rules, ledger, replays, sink, limit: 100, log, metrics });
  return { detect, settle, restore, state, ledger, metrics, rules };
}

/** An audit event `seconds` from the tests' clock: a failed login of root on edge-2, but for `changes`. */
export function login(
  id: string,
  seconds: number,
  changes: Partial<AuditRecorded> = {},
): Event<AuditRecorded> {
  return createEvent(auditRecorded, {
    id,
    source: "/auditflow/source/sshd",
    time: toInstant(testNow + seconds * 1000),
    data: {
      event_type: "user_login",
      source_service: "sshd",
      user_id: "root",
      server_hostname: "edge-2",
      action_result: "FAILURE",
      details: { ip_address: "203.0.113.7" },
      ...changes,
    },
  });
}

/** The data of alert events. */
export function alertsOf(events: readonly Event[]): readonly AlertRaised[] {
  return events.map(({ data }) => alertRaised.data.parse(data));
}
