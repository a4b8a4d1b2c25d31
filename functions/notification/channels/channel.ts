import type { z } from "zod";

import type { Log } from "../../../runtime/log.ts";

/** What a person is told, in the shape of a Standard Webhooks payload. */
export interface Message {
  readonly type: "alert.raised";
  /** When it happened, RFC 3339. */
  readonly timestamp: string;
  readonly data: {
    readonly alert_id: string;
    readonly alert_name: string;
    readonly severity: string;
    readonly count: number;
    readonly [name: string]: string | number | null;
  };
}

/** A message on its way; every attempt carries the same id and the same message. */
export interface Outgoing {
  readonly id: string;
  readonly message: Message;
}

/** Delivers one message; rejects when it did not arrive. `ChannelError` says whether to try again. */
export type Send = (outgoing: Outgoing, signal: AbortSignal) => Promise<void>;

/** The receiver answered, and not with success. */
export class ChannelError extends Error {
  override readonly name = "ChannelError";
  /** False when trying again cannot help. */
  readonly passing: boolean;

  constructor(message: string, passing: boolean) {
    super(message);
    this.passing = passing;
  }
}

export interface ChannelDeps {
  readonly now: () => number;
  readonly log: Log;
}

/** A way to reach people: one file, carrying its own settings. */
export interface Channel<Settings extends z.ZodObject = z.ZodObject> {
  readonly type: string;
  /** What it reads from the environment; a part of the function's configuration. */
  readonly settings: Settings;
  /** The sender, or `undefined` when the settings leave the channel off. */
  readonly open: (settings: z.infer<Settings>, deps: ChannelDeps) => Send | undefined;
}

/** Declares a channel; the type of its settings is inferred. */
export function defineChannel<Settings extends z.ZodObject>(channel: Channel<Settings>): Channel<Settings> {
  return channel;
}
