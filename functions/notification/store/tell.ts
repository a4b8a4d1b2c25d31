import type postgres from "postgres";

import type { AlertSummary } from "../alert-view.ts";

/** Why people are to be told of an alert, and the alert as it was just written. */
export interface Occasion {
  readonly kind: "raised" | "reopened";
  readonly alert: AlertSummary;
}

/**
 * Decides whom to tell of what and writes it, in the transaction that stores the alerts, whose locks are
 * held. Answers whether something is due now.
 */
export type Tell = (sql: postgres.TransactionSql, occasions: readonly Occasion[]) => Promise<boolean>;
