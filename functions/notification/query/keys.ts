import { type AlertSummary, dispositions, severities, statuses } from "../alert-view.ts";

type FieldsOf<T> = { [F in keyof AlertSummary]-?: AlertSummary[F] extends T ? F : never }[keyof AlertSummary];

interface Named {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** One line for people who choose a key. */
  readonly about: string;
  /** The column of `episodes`. */
  readonly column: string;
  /** Whether `has:` makes sense. */
  readonly optional?: true;
}

/** Text is compared without regard to ASCII case, whole, with `*` for anything. */
export interface TextKey extends Named {
  readonly kind: "text";
  readonly field: FieldsOf<string | null>;
}
/** UUIDs are text of which a whole one can be looked up in an index. */
export interface IdKey extends Named {
  readonly kind: "id";
  readonly field: "alert_id" | "correlation_id";
}
/** Any of the texts may match. */
export interface ListKey extends Named {
  readonly kind: "list";
  readonly field: "tags";
}
export interface EnumKey extends Named {
  readonly kind: "enum";
  readonly field: "severity" | "status" | "disposition";
  readonly values: readonly string[];
  /** The column of the value's place in `values`, from 1, where they are ordered. */
  readonly rank?: string;
}
export interface NumberKey extends Named {
  readonly kind: "number";
  readonly field: FieldsOf<number>;
}
export interface TimeKey extends Named {
  readonly kind: "time";
  readonly field: "timestamp" | "received_at" | "first_seen" | "last_seen";
}
export type Key = TextKey | IdKey | ListKey | EnumKey | NumberKey | TimeKey;

function text(name: string, field: TextKey["field"], rest: Pick<Named, "about"> & Partial<Named>): TextKey {
  return { kind: "text", name, field, column: field, ...rest };
}

function time(name: string, field: TimeKey["field"], rest: Pick<Named, "about"> & Partial<Named>): TimeKey {
  return { kind: "time", name, field, column: field, ...rest };
}

/** Everything an alert can be asked for by name, but `data.…`, `has` and `is`. */
export const keys: readonly Key[] = [
  {
    kind: "enum",
    name: "severity",
    about: "how grave it is; ordered",
    field: "severity",
    column: "severity",
    values: severities,
    rank: "severity_rank",
  },
  {
    kind: "enum",
    name: "status",
    about: "where work on it stands",
    field: "status",
    column: "status",
    values: statuses,
  },
  {
    kind: "enum",
    name: "disposition",
    about: "what it turned out to be",
    field: "disposition",
    column: "disposition",
    values: dispositions,
    optional: true,
  },
  text("assignee", "assignee", { about: "who works on it", optional: true }),
  text("rule", "rule_id", { aliases: ["rule_id"], about: "the id of the rule" }),
  text("rule_name", "rule_name", { about: "the name of the rule" }),
  text("version", "rule_version", { aliases: ["rule_version"], about: "the rule's version", optional: true }),
  text("name", "alert_name", { aliases: ["alert_name"], about: "the title" }),
  text("type", "alert_type", { aliases: ["alert_type"], about: "the kind of alert, such as SECURITY" }),
  text("description", "description", { about: "what happened, in words" }),
  text("source", "source_service_name", {
    aliases: ["service"],
    about: "the service that saw it",
    optional: true,
  }),
  text("actor", "actor_id", { aliases: ["subject", "actor_id"], about: "who did it", optional: true }),
  text("actor_type", "actor_type", { about: "what kind of actor", optional: true }),
  text("ip", "client_ip", { aliases: ["client_ip"], about: "the address it came from", optional: true }),
  text("host", "server_hostname", {
    aliases: ["hostname"],
    about: "the machine it happened on",
    optional: true,
  }),
  text("resource", "resource_id", { aliases: ["resource_id"], about: "what it was done to", optional: true }),
  text("resource_type", "resource_type", { about: "what kind of resource", optional: true }),
  text("action", "action_observed", { about: "what was done" }),
  text("environment", "environment", { aliases: ["env"], about: "such as production", optional: true }),
  {
    kind: "list",
    name: "tag",
    aliases: ["tags"],
    about: "any of its tags",
    field: "tags",
    column: "tags",
    optional: true,
  },
  { kind: "id", name: "id", aliases: ["alert_id"], about: "its id", field: "alert_id", column: "episode_id" },
  {
    kind: "id",
    name: "trace",
    aliases: ["correlation", "correlation_id"],
    about: "the id it is traced by",
    field: "correlation_id",
    column: "correlation_id",
    optional: true,
  },
  { kind: "number", name: "count", about: "how many events are behind it", field: "count", column: "count" },
  time("seen", "last_seen", { aliases: ["last_seen"], about: "when its last event was" }),
  time("first_seen", "first_seen", { about: "when its first event was" }),
  time("timestamp", "timestamp", { aliases: ["time"], about: "when the rule held" }),
  time("received", "received_at", { aliases: ["received_at"], about: "when it was stored" }),
];

/** What free text is looked for in. */
export const searched: readonly TextKey["field"][] = [
  "alert_name",
  "description",
  "rule_id",
  "rule_name",
  "actor_id",
  "server_hostname",
  "resource_id",
  "source_service_name",
];

/** What `is:` knows. */
export const flags = [
  "open",
  "acknowledged",
  "in_progress",
  "resolved",
  "suppressed",
  "snoozed",
  "assigned",
  "unassigned",
] as const;
export type Flag = (typeof flags)[number];

const byName = new Map(
  keys.flatMap((key) => [key.name, ...(key.aliases ?? [])].map((name) => [name, key] as const)),
);

/** A key by its name or an alias, in any case; `-` stands for `_`. */
export function findKey(name: string): Key | undefined {
  return byName.get(toName(name));
}

/** A word as it is written in the tables here: lower case, `_` for `-`. */
export function toName(word: string): string {
  return word.toLowerCase().replaceAll("-", "_");
}

/** Every name that stands before a colon, but those of event data. */
export const keyNames: readonly string[] = [...byName.keys(), "has", "is"];

/** What `has:` can be asked for. */
export const optionalNames: readonly string[] = [...byName]
  .filter(([, key]) => key.optional)
  .map(([name]) => name);
