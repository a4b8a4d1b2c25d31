import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { z } from "zod";

import { parseInstant, toInstant } from "../../events/time.ts";
import { type AlertSummary, severities, statuses } from "../../functions/notification/alert-view.ts";
import type { CommandContext } from "../context.ts";
import { CliError, exitCode } from "../exit-code.ts";

/** An alert that is described by options. */
export interface AlertFlags {
  readonly severity?: string;
  readonly rule?: string;
  readonly host?: string;
  readonly actor?: string;
  readonly type?: string;
  readonly source?: string;
  readonly environment?: string;
  readonly tag?: readonly string[];
}

export interface GivenOptions extends AlertFlags {
  readonly alert?: string;
  readonly file?: string;
}

const word = z.string().nullish();

/** As the API answers it, as it is raised, or only what matters of it. */
const givenAlert = z.looseObject({
  alert_id: z.string().optional(),
  timestamp: z.string().optional(),
  alert_name: z.string().optional(),
  alert_type: z.string().optional(),
  severity: z.string().toUpperCase().pipe(z.enum(severities)).optional(),
  description: z.string().optional(),
  source_service_name: word,
  rule_id: z.string().optional(),
  rule_name: z.string().optional(),
  rule_version: word,
  actor_type: word,
  actor_id: word,
  client_ip: word,
  resource_type: word,
  resource_id: word,
  server_hostname: word,
  action_observed: z.string().optional(),
  correlation_id: word,
  tags: z.array(z.string()).optional(),
  environment: word,
  count: z.number().optional(),
  status: z.enum(statuses).optional(),
  assignee: word,
  snoozed_until: word,
  analysis_rule: z
    .looseObject({ rule_id: z.string().optional(), rule_name: z.string().optional() })
    .optional(),
  triggered_by: z.looseObject({ actor_type: word, actor_id: word, client_ip: word }).optional(),
  impacted_resource: z
    .looseObject({ resource_type: word, resource_id: word, server_hostname: word })
    .optional(),
  metadata: z.looseObject({ tags: z.array(z.string()).optional(), environment: word }).optional(),
});
type GivenAlert = z.infer<typeof givenAlert>;

const envelope = z.looseObject({ specversion: z.string(), data: z.unknown() });

/** The alerts to route: from a file, from lines, from standard input, or as options describe one. */
export async function readAlerts(
  options: GivenOptions,
  now: number,
  { stdin, interactive }: CommandContext,
): Promise<readonly AlertSummary[]> {
  if (options.alert !== undefined) return parseAll(await read(options.alert, stdin), options.alert, now);
  if (options.file !== undefined) return parseLines(await read(options.file, stdin), options.file, now);
  if (describes(options)) return [toAlert(fromFlags(options), 1, now)];
  if (interactive)
    throw new CliError("Which alert? Name a file or describe one (add --help).", exitCode.usage);
  const given = await text(stdin);
  const alerts = isOneDocument(given)
    ? parseAll(given, "standard input", now)
    : parseLines(given, "standard input", now);
  if (alerts.length > 0) return alerts;
  throw new CliError("Standard input holds no alert (add --help).", exitCode.usage);
}

function describes({ severity, rule, host, actor, type, source, environment, tag }: AlertFlags): boolean {
  return [severity, rule, host, actor, type, source, environment, tag].some((flag) => flag !== undefined);
}

function fromFlags({ severity, rule, host, actor, type, source, environment, tag }: AlertFlags): unknown {
  return {
    severity,
    rule_id: rule,
    server_hostname: host,
    actor_id: actor,
    alert_type: type,
    source_service_name: source,
    environment,
    tags: tag,
  };
}

async function read(path: string, stdin: CommandContext["stdin"]): Promise<string> {
  try {
    return path === "-" ? await text(stdin) : await readFile(path, "utf8");
  } catch (error) {
    throw new CliError(`${path}: ${error instanceof Error ? error.message : String(error)}`, exitCode.usage, {
      cause: error,
    });
  }
}

function isOneDocument(given: string): boolean {
  try {
    JSON.parse(given);
    return true;
  } catch {
    return false;
  }
}

function parseAll(given: string, from: string, now: number): readonly AlertSummary[] {
  const value = parseJson(given, from);
  return (Array.isArray(value) ? value : [value]).map((one: unknown, index) =>
    toAlert(one, index + 1, now, from),
  );
}

function parseLines(given: string, from: string, now: number): readonly AlertSummary[] {
  return given
    .split("\n")
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== "")
    .map(({ line, number }) =>
      toAlert(parseJson(line, `${from}:${number}`), number, now, `${from}:${number}`),
    );
}

function parseJson(given: string, from: string): unknown {
  try {
    return JSON.parse(given);
  } catch (error) {
    throw new CliError(
      `${from}: This is no JSON: ${error instanceof Error ? error.message : String(error)}`,
      exitCode.usage,
      { cause: error },
    );
  }
}

// oxlint-disable-next-line eslint/max-params -- the place is for the error alone
function toAlert(value: unknown, number: number, now: number, from = "the options"): AlertSummary {
  const event = envelope.safeParse(value);
  const parsed = givenAlert.safeParse(event.success ? event.data.data : value);
  if (!parsed.success) throw new CliError(`${from}: ${z.prettifyError(parsed.error)}`, exitCode.usage);
  return withDefaults(parsed.data, number, now);
}

function withDefaults(given: GivenAlert, number: number, now: number): AlertSummary {
  const { analysis_rule: rule, triggered_by: actor, impacted_resource: resource, metadata } = given;
  const at = toInstant(parseInstant(given.timestamp) ?? now);
  const ruleId = given.rule_id ?? rule?.rule_id ?? "";
  return {
    alert_id: given.alert_id ?? `alert-${number}`,
    timestamp: at,
    received_at: toInstant(now),
    alert_name: given.alert_name ?? "An alert",
    alert_type: given.alert_type ?? "SECURITY",
    severity: given.severity ?? "MEDIUM",
    description: given.description ?? "",
    source_service_name: given.source_service_name ?? null,
    rule_id: ruleId,
    rule_name: given.rule_name ?? rule?.rule_name ?? ruleId,
    rule_version: given.rule_version ?? null,
    actor_type: given.actor_type ?? actor?.actor_type ?? null,
    actor_id: given.actor_id ?? actor?.actor_id ?? null,
    client_ip: given.client_ip ?? actor?.client_ip ?? null,
    resource_type: given.resource_type ?? resource?.resource_type ?? null,
    resource_id: given.resource_id ?? resource?.resource_id ?? null,
    server_hostname: given.server_hostname ?? resource?.server_hostname ?? null,
    action_observed: given.action_observed ?? "",
    correlation_id: given.correlation_id ?? null,
    tags: given.tags ?? metadata?.tags ?? [],
    environment: given.environment ?? metadata?.environment ?? null,
    group: null,
    count: given.count ?? 1,
    first_seen: at,
    last_seen: at,
    status: given.status ?? "open",
    disposition: null,
    assignee: given.assignee ?? null,
    snoozed_until: given.snoozed_until ?? null,
    revision: 0,
  };
}
