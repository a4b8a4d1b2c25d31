import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** Distinct values a label may take before further ones are counted under "other". */
const maxLabelValues = 200;

/** Handling times from 1 ms to 30 s; a delivery's deadline is 25 s. */
const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const rowsBuckets = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000];

/** Every metric of every function, named here and nowhere else. Labels are bounded by `bounded`. */
const counters = {
  eventsReceived: ["auditflow_events_received_total", "Deliveries and requests carrying an event.", ["type"]],
  eventsHandled: ["auditflow_events_handled_total", "Deliveries answered, by outcome.", ["outcome"]],
  eventsRejected: ["auditflow_events_rejected_total", "Events refused for ever, by reason.", ["code"]],
  eventsAccepted: [
    "auditflow_events_accepted_total",
    "Events offered to the ledger, by outcome.",
    ["outcome"],
  ],
  eventsPublished: [
    "auditflow_events_published_total",
    "Accepted events offered to the broker in the background, by outcome.",
    ["outcome"],
  ],
  eventsLate: ["auditflow_events_late_total", "Events evaluated from the ledger because they came late.", []],
  ruleMatches: ["auditflow_rule_matches_total", "Rules that held for an event.", ["rule"]],
  alertsRaised: ["auditflow_alerts_raised_total", "Alert events recorded in the ledger.", ["rule"]],
  alertsSummarised: [
    "auditflow_alerts_summarised_total",
    "Alerts that became evidence of a flood's summary instead of being told by themselves.",
    ["rule"],
  ],
  alertsStored: ["auditflow_alerts_stored_total", "Alert events stored, by outcome.", ["outcome"]],
  groupsCapped: [
    "auditflow_correlation_groups_capped_total",
    "Events not counted because the correlation had as many groups as allowed.",
    ["rule"],
  ],
  timersSettled: [
    "auditflow_timers_settled_total",
    "Timers of correlations judged later, by what became of them.",
    ["outcome"],
  ],
  stateRebuilds: ["auditflow_state_rebuilds_total", "Window states rebuilt from the ledger.", []],
  reconciled: ["auditflow_reconciled_total", "Events emitted again because they were overdue.", ["kind"]],
  deadLetters: ["auditflow_dead_letters_total", "Undeliverable or rejected events stored.", ["kind"]],
  deliveries: ["auditflow_notification_deliveries_total", "Deliveries to people.", ["channel", "outcome"]],
  brokerPublished: ["auditflow_broker_published_total", "Events offered to the local broker.", ["outcome"]],
  brokerDelivered: [
    "auditflow_broker_delivered_total",
    "Delivery attempts of the local broker.",
    ["trigger", "outcome"],
  ],
  httpRefused: ["auditflow_http_refused_total", "Requests that are not HTTP, or too slow.", ["reason"]],
  brokerLoops: ["auditflow_broker_loops_total", "Replies that match the Trigger they answer.", ["trigger"]],
} as const;

const gauges = {
  rulesLoaded: ["auditflow_rules_loaded", "Rules in force.", []],
  ruleProblems: ["auditflow_rule_problems", "Problems found by the last attempt to load rules.", []],
  ledgerEvents: ["auditflow_ledger_events", "Events in the ledger, by state.", ["state"]],
  outboxEvents: ["auditflow_outbox_events", "Events of ours that wait for the broker.", []],
  circuitOpen: [
    "auditflow_notification_circuit_open",
    "1 while a channel's receiver is left alone because it failed.",
    ["channel"],
  ],
  dependencyUp: ["auditflow_dependency_up", "1 when the dependency answers.", ["dependency"]],
  buildInfo: ["auditflow_build_info", "1; the version that runs.", ["version", "revision"]],
} as const;

const histograms = {
  handleSeconds: ["auditflow_handle_seconds", "Time from the request to its answer.", secondsBuckets],
  attemptSeconds: [
    "auditflow_notification_attempt_seconds",
    "Time of one attempt to deliver a message.",
    secondsBuckets,
  ],
  batchRows: ["auditflow_batch_rows", "Rows per group commit.", rowsBuckets],
} as const;

type Counters = {
  readonly [Name in keyof typeof counters]: Counter<(typeof counters)[Name][2][number]>;
};
type Gauges = { readonly [Name in keyof typeof gauges]: Gauge<(typeof gauges)[Name][2][number]> };
type Histograms = { readonly [Name in keyof typeof histograms]: Histogram };

export type Metrics = Counters & Gauges & Histograms & { readonly registry: Registry };

/** The metrics of one function, in a registry of their own that labels each with the function's name. */
export function createMetrics(name: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ function: name });
  const registers = [registry];
  const labelled = ([name, help, labelNames]: readonly [string, string, readonly string[]]) => ({
    name,
    help,
    labelNames,
    registers,
  });
  const all: Record<string, unknown> = { registry };
  for (const [key, row] of Object.entries(counters)) all[key] = new Counter(labelled(row));
  for (const [key, row] of Object.entries(gauges)) all[key] = new Gauge(labelled(row));
  for (const [key, [name, help, buckets]] of Object.entries(histograms)) {
    all[key] = new Histogram({ name, help, registers, buckets: [...buckets] });
  }
  // One entry per row of the tables, which is what the type says; Object.entries forgets the names.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return all as Metrics;
}

/**
 * Keeps a label that comes from configuration or from outside within bounds: the first values are used
 * as they are, all further ones become "other".
 */
export function createBoundedLabel(limit: number = maxLabelValues): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= limit) return "other";
    known.add(value);
    return value;
  };
}
