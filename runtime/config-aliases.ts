type Values = Readonly<Record<string, string | undefined>>;

/** Settings the predecessor knew under their bare name; ours carry the prefix. */
const prefixed = [
  "ENVIRONMENT",
  "EVENT_GENERATION_INTERVAL_SECONDS",
  "FAILED_LOGIN_THRESHOLD",
  "FAILED_LOGIN_WINDOW_SECONDS",
  "SENSITIVE_FILES",
];

/** Where the predecessor wrote an address in parts. The first name that is set wins. */
const addresses = [
  {
    name: "AMQP_URL",
    scheme: "amqp",
    port: "5672",
    prefix: "RABBITMQ",
    path: ["RABBITMQ_VHOST"],
  },
  { name: "REDIS_URL", scheme: "redis", port: "6379", prefix: "REDIS", path: ["REDIS_DB"] },
  {
    name: "DATABASE_URL",
    scheme: "postgres",
    port: "5432",
    prefix: "PG",
    path: ["PG_DB", "PG_DATABASE", "PG_DBNAME"],
  },
] as const;

/** Adds our names for what is set under the predecessor's; a name of ours that is set is kept. */
export function withAliases(values: Values): Values {
  const added: Record<string, string> = {};
  for (const name of prefixed) {
    const value = values[name];
    if (value !== undefined) added[`AUDITFLOW_${name}`] = value;
  }
  for (const address of addresses) {
    const url = toUrl(address, values);
    if (url !== undefined) added[address.name] = url;
  }
  return { ...added, ...values };
}

function toUrl(
  { scheme, port, prefix, path }: (typeof addresses)[number],
  values: Values,
): string | undefined {
  const host = values[`${prefix}_HOST`];
  if (host === undefined) return undefined;
  const user = values[`${prefix}_USER`];
  const password = values[`${prefix}_PASS`] ?? values[`${prefix}_PASSWORD`];
  const secret = password === undefined ? "" : `:${encodeURIComponent(password)}`;
  const login =
    user === undefined && password === undefined ? "" : `${encodeURIComponent(user ?? "")}${secret}@`;
  const name = path.map((key) => values[key]).find((value) => value !== undefined);
  const suffix = name === undefined ? "" : `/${encodeURIComponent(name)}`;
  return `${scheme}://${login}${host}:${portOf(values[`${prefix}_PORT`], port)}${suffix}`;
}

/** Kubernetes sets `REDIS_PORT=tcp://10.0.0.1:6379` beside a Service named redis; the port is its end. */
function portOf(value: string | undefined, standard: string): string {
  return /^(?:tcp:\/\/.*:)?(\d+)$/.exec(value ?? "")?.[1] ?? standard;
}
