import type { BlockList } from "node:net";
import { z } from "zod";

import { blockListOf, forbiddenKind, isIn, isNetwork } from "./address.ts";

/** What channels may reach besides public addresses. */
export interface Allow {
  /** Whether a name is on the list, itself or by its suffix. */
  readonly hasHost: (host: string) => boolean;
  readonly networks: BlockList;
}

export const allowSettingName = "AUDITFLOW_CHANNEL_ALLOW";

/** Labels of letters, digits, - and _; a name that ends in a number would be read as an address. */
const hostPattern = /^(?:\*\.)?(?!.*(?:^|\.)\d+$)(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.(?=.)|$))+$/;

/** Host names, `*.suffix` and networks, separated by commas, as AUDITFLOW_CHANNEL_ALLOW lists them. */
export const allowSetting = z
  .string()
  .transform((text) => entriesOf(text))
  .superRefine((entries, context) => {
    for (const entry of entries.filter((entry) => !isNetwork(entry) && !isHost(entry))) {
      context.addIssue({
        code: "custom",
        message: `"${entry}" is not a host name, *.suffix or network (10.0.0.0/8)`,
      });
    }
  })
  .meta({ example: "alertmanager.monitoring.svc,*.corp.example,10.20.0.0/16" });

/** The list as it is asked; entries are those `allowSetting` admits. */
export function createAllow(entries: readonly string[]): Allow {
  const networks = entries.filter((entry) => isNetwork(entry));
  const hosts = entries.filter((entry) => !isNetwork(entry)).map((entry) => toHost(entry));
  const names = new Set(hosts.filter((host) => !host.startsWith("*.")));
  const suffixes = hosts.filter((host) => host.startsWith("*.")).map((host) => host.slice(1));
  return {
    hasHost: (host) => names.has(host) || suffixes.some((suffix) => host.endsWith(suffix)),
    networks: blockListOf(networks),
  };
}

/** A destination that was resolved. */
export interface Destination {
  /** In lower case, without a dot at its end; an address stands without brackets. */
  readonly host: string;
  /** All it resolves to: one bad address refuses the destination, whichever would have been taken. */
  readonly addresses: readonly string[];
  /** Without encryption nothing goes to a public address. */
  readonly encrypted: boolean;
}

const internalName = /(?:^|\.)(?:localhost|svc|cluster\.local|internal|local)$/;

/** Why a channel must not reach the destination; `undefined` when it may. */
export function refusal({ host, addresses, encrypted }: Destination, allow: Allow): string | undefined {
  if (addresses.length === 0) return "has no address";
  if (allow.hasHost(host)) return undefined;
  if (addresses.every((address) => isIn(allow.networks, address))) return undefined;
  if (internalName.test(host)) return "is a name of this host or cluster";
  for (const address of addresses) {
    const kind = isIn(allow.networks, address) ? undefined : forbiddenKind(address);
    if (kind !== undefined) return `leads to the ${kind} address ${address}`;
  }
  return encrypted ? undefined : "is a public address, which is reached with https only";
}

/** A host as it is compared: lower case, and the dot at its end, which changes nothing, left away. */
export function toHost(text: string): string {
  return text.toLowerCase().replace(/\.$/, "");
}

function isHost(entry: string): boolean {
  return hostPattern.test(toHost(entry));
}

function entriesOf(text: string): readonly string[] {
  return text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}
