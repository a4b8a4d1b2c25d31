import type { ChannelType } from "../../channels/channel.ts";
import { type ReadSecret, SecretError, secretReference } from "../../channels/secret.ts";
import { valueAt } from "./issues.ts";
import { type Finding, quote } from "./problem.ts";

export interface ChannelOptions {
  readonly channelTypes: ReadonlyMap<string, Pick<ChannelType, "settings">>;
  /** Reads a secret to see that it is there; absent: nobody looks. */
  readonly readSecret?: ReadSecret | undefined;
}

/** The keys of a map of a file; none when there is no map. */
export function keysAt(value: unknown, key: string): readonly string[] {
  const map = valueAt(value, [key]);
  return typeof map === "object" && map !== null ? Object.keys(map) : [];
}

/** Settings by the schema of their type; what they say is not quoted, it may be a secret. */
export function checkChannels(
  value: unknown,
  { channelTypes, readSecret }: ChannelOptions,
): readonly Finding[] {
  return keysAt(value, "channels").flatMap((name) => {
    const path = ["channels", name];
    const type = valueAt(value, [...path, "type"]);
    if (typeof type !== "string") return [];
    const channel = channelTypes.get(type);
    if (!channel) {
      const message = `There is no type of channel ${quote(type)}.`;
      return [{ path: [...path, "type"], message, allowed: [...channelTypes.keys()].join(", ") }];
    }
    const settings = valueAt(value, [...path, "settings"]) ?? {};
    const parsed = channel.settings.safeParse(settings);
    const at = [...path, "settings"];
    return parsed.success
      ? secretsOf(settings, at).flatMap((secret) => checkSecret(secret, readSecret))
      : parsed.error.issues.map((issue) => ({
          path: [...at, ...issue.path.map((part) => (typeof part === "number" ? part : String(part)))],
          message: `${[...at, ...issue.path.map(String)].join(".")}: ${issue.message}`,
        }));
  });
}

interface Secret {
  readonly path: readonly (string | number)[];
  readonly reference: unknown;
}

function secretsOf(value: unknown, path: Secret["path"]): readonly Secret[] {
  if (typeof value !== "object" || value === null) return [];
  if (secretReference.safeParse(value).success) return [{ path, reference: value }];
  return Object.entries(value).flatMap(([key, child]) =>
    secretsOf(child, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

function checkSecret({ path, reference }: Secret, readSecret: ReadSecret | undefined): readonly Finding[] {
  const parsed = secretReference.safeParse(reference);
  if (!readSecret || !parsed.success) return [];
  try {
    readSecret(parsed.data);
    return [];
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    return [{ path, message: `A secret is not there: ${error.message}` }];
  }
}
