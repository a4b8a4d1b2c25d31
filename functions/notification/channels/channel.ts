import type { z } from "zod";

import type { Log } from "../../../runtime/log.ts";
import type { AlertSummary } from "../alert-view.ts";
import type { GuardedPost } from "./guard.ts";
import type { SendMail } from "./mail.ts";
import type { Secrets } from "./secret.ts";

/** An alert as people are told of it: what lists show of it, as far as it is known; an AlertSummary is one. */
export type MessageAlert = Pick<AlertSummary, "alert_id" | "alert_name" | "count"> & {
  readonly severity: string;
} & Partial<Omit<AlertSummary, "severity">>;

/** Why people are told. */
export const messageTypes = [
  "alert.raised",
  "alert.reopened",
  "alert.repeated",
  "alert.escalated",
  "alert.digest",
  "alert.resolved",
  "test",
] as const;

/** What a person is told, in the shape of a Standard Webhooks payload. */
export interface Message {
  readonly type: (typeof messageTypes)[number];
  /** When it happened, RFC 3339. */
  readonly timestamp: string;
  /** The alert; of a group the gravest one. */
  readonly data: MessageAlert;
  /** The alerts of a group, `data` among them, the gravest first; there may be fewer than `group.total`. */
  readonly alerts?: readonly MessageAlert[];
  readonly group?: {
    readonly route: string;
    /** What the alerts have in common, by label. */
    readonly values: Readonly<Record<string, string>>;
    readonly total: number;
  };
  /** Where the alert can be looked at. */
  readonly url?: string;
}

/** A message on its way; every attempt carries the same id and the same message. */
export interface Outgoing {
  readonly id: string;
  readonly message: Message;
}

/** What the receiver answered. */
export interface Receipt {
  /** Of HTTP or SMTP. */
  readonly status?: number;
  /** The first 2 KiB, without secrets. */
  readonly response?: string;
}

/** Delivers one message; rejects when it did not arrive. `ChannelError` says whether to try again. */
export type Send = (outgoing: Outgoing, signal: AbortSignal) => Promise<Receipt>;

interface Answer extends Receipt {
  /** How long the receiver asks to be left alone. */
  readonly retryAfterMs?: number;
}

/** The receiver answered, and not with success; or the message must not be sent to it at all. */
export class ChannelError extends Error {
  override readonly name = "ChannelError";
  /** False when trying again cannot help. */
  readonly passing: boolean;
  readonly status?: number;
  readonly response?: string;
  readonly retryAfterMs?: number;

  constructor(message: string, passing: boolean, answer: Answer = {}) {
    super(message);
    this.passing = passing;
    Object.assign(this, answer);
  }
}

/** What channels reach the world through; `createChannelDeps` makes the guarded ones. */
export interface ChannelDeps {
  readonly now: () => number;
  readonly log: Log;
  readonly post: GuardedPost;
  readonly mail: SendMail;
  readonly secrets: Secrets;
}

/** A way to reach people: one file, carrying the schema of its own settings. */
export interface Channel<Settings> {
  readonly type: string;
  /** One sentence for whoever chooses a channel. */
  readonly description: string;
  readonly settings: z.ZodType<Settings>;
  /** The sender. Throws SecretError when a secret of the settings cannot be read. */
  readonly open: (settings: Settings, deps: ChannelDeps) => Send;
}

/** A channel of the configuration, ready to send. */
export interface OpenChannel {
  readonly name: string;
  readonly type: string;
  readonly send: Send;
}

/** A channel behind its type: it checks settings of any shape itself. */
export interface ChannelType {
  readonly type: string;
  readonly description: string;
  readonly settings: z.ZodType;
  /** Throws ZodError for settings of another shape, and SecretError. */
  readonly open: (settings: unknown, deps: ChannelDeps) => Send;
}

/** Declares a channel; the type of its settings is inferred from the schema. */
export function defineChannel<Settings>(channel: Channel<Settings>): ChannelType {
  const { type, description, settings } = channel;
  return {
    type,
    description,
    settings,
    open: (given, deps) => channel.open(settings.parse(given), deps),
  };
}
