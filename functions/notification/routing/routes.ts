import type { AlertSummary } from "../alert-view.ts";
import type { Query } from "../query/query.ts";
import type { TimeWindow } from "./windows.ts";

/** What alerts can be grouped and compared by. */
export const alertFields = ["rule", "host", "actor", "severity", "type", "source", "environment"] as const;
export type AlertField = (typeof alertFields)[number];

/** What to do when nobody acknowledges an alert in time. */
export interface EscalationStep {
  /** After people could first be told of the alert, not after the step before. */
  readonly afterMs: number;
  readonly channels: readonly string[];
}

/** When a digest is sent: at a time of the day, or some time after the first alert it tells of. */
export type Digest =
  | { readonly at: number; readonly location: string; readonly weekdays: readonly number[] }
  | { readonly everyMs: number };

/** A node of the tree; what a file leaves out is filled in from the node above. Durations in milliseconds. */
export interface Route {
  /** Unique in the tree. Groups belong to it, so it stays the same while the file around it changes. */
  readonly name: string;
  /** Absent: every alert. */
  readonly match?: Query | undefined;
  readonly channels: readonly string[];
  /** `alone`: each alert is a group of its own. */
  readonly groupBy: readonly AlertField[] | "alone";
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  /** Absent: never. */
  readonly repeatIntervalMs?: number | undefined;
  readonly sendResolved: boolean;
  readonly muteTimes: readonly string[];
  readonly activeTimes: readonly string[];
  readonly escalate: readonly EscalationStep[];
  readonly digest?: Digest | undefined;
  readonly continue: boolean;
  readonly routes: readonly Route[];
}

/** A grave alert that makes lesser ones not worth a message. */
export interface Inhibition {
  readonly name: string;
  readonly source: Query;
  readonly target: Query;
  readonly equal: readonly AlertField[];
  /** How long a source counts after it was last seen, milliseconds; one that is resolved never does. */
  readonly withinMs: number;
}

/** A named way to reach people, as a file describes it. */
export interface ChannelDefinition {
  readonly name: string;
  readonly type: string;
  readonly settings: unknown;
}

/** Everything a routes file says. */
export interface Routes {
  /** Of what was read; `default` without a file. */
  readonly hash: string;
  readonly root: Route;
  /** As the file has them: secrets are still references. */
  readonly channels: readonly ChannelDefinition[];
  readonly muteTimes: ReadonlyMap<string, TimeWindow>;
  readonly inhibitions: readonly Inhibition[];
}

/** Without a file: every alert at once, alone, to every channel the environment opens. */
export function defaultRoutes(channels: readonly string[]): Routes {
  const root: Route = {
    name: "default",
    channels,
    groupBy: "alone",
    groupWaitMs: 0,
    groupIntervalMs: 300_000,
    sendResolved: false,
    muteTimes: [],
    activeTimes: [],
    escalate: [],
    continue: false,
    routes: [],
  };
  return { hash: "default", root, channels: [], muteTimes: new Map(), inhibitions: [] };
}

/** A route and all below it, in the order they are asked. */
export function allRoutes(route: Route): readonly Route[] {
  return [route, ...route.routes.flatMap(allRoutes)];
}

/** An alert's value of a field; empty when it has none. */
export function fieldOf(alert: AlertSummary, field: AlertField): string {
  return alert[columnOf[field]] ?? "";
}

/** The column of an alert, and of the episodes table, that holds a field. */
export const columnOf = {
  rule: "rule_id",
  host: "server_hostname",
  actor: "actor_id",
  severity: "severity",
  type: "alert_type",
  source: "source_service_name",
  environment: "environment",
} as const satisfies Record<AlertField, keyof AlertSummary>;
