import { createAllow } from "./allow.ts";
import type { ChannelDeps } from "./channel.ts";
import { createGuard, createGuardedPost, type Lookup } from "./guard.ts";
import { createSendMail } from "./mail.ts";
import { createSecrets, type ReadSecret } from "./secret.ts";

export interface ChannelWorld extends Pick<ChannelDeps, "now" | "log"> {
  /** The entries of AUDITFLOW_CHANNEL_ALLOW. */
  readonly allow: readonly string[];
  readonly readSecret: ReadSecret;
  /** The system's resolver when absent. */
  readonly lookup?: Lookup;
}

/** What channels are opened with: requests and mail go only where the allow-list lets them. */
export function createChannelDeps({
  now,
  log,
  allow: entries,
  readSecret,
  lookup,
}: ChannelWorld): ChannelDeps {
  const allow = createAllow(entries);
  const guarded = { allow, ...(lookup && { lookup }) };
  return {
    now,
    log,
    post: createGuardedPost({ ...guarded, now }),
    mail: createSendMail(createGuard(guarded)),
    secrets: createSecrets(readSecret),
  };
}
