import type { Access } from "../../../runtime/access/access.ts";
import type { Log } from "../../../runtime/log.ts";
import type { KeyStore } from "../../../runtime/access/key-store.ts";
import type { DeadLetters } from "../dead-letters/dead-letters.ts";
import type { CircuitView } from "../delivery/circuit.ts";
import type { Deliveries } from "../delivery/deliveries.ts";
import type { Desk } from "../life-cycle/desk.ts";
import type { Silences } from "../silences/silences.ts";
import type { AlertReader } from "../store/list/alert-reader.ts";
import type { Reader } from "../store/reader.ts";
import type { IdempotencyStore } from "./idempotency-store.ts";

/** Everything the API works with; each call throws UnavailableError while what is behind it is away. */
export interface ApiDeps {
  readonly alerts: AlertReader;
  readonly desk: Desk;
  readonly silences: Silences;
  readonly deadLetters: DeadLetters;
  readonly deliveries: Deliveries;
  readonly channels: Channels;
  readonly keys: Keys;
  readonly idempotency: IdempotencyStore;
  readonly access: Access;
  /** `GET /api/v1/stream`. */
  readonly stream: (request: Request, caller?: string) => Promise<Response>;
  /** The predecessor's routes. */
  readonly predecessor: {
    readonly reader: Pick<Reader, "listAlerts" | "findAlert" | "listDeliveries" | "listDeadLetters">;
    readonly stream: (request: Request, caller?: string) => Promise<Response>;
  };
  /** Requests a minute of one caller; 0 is no limit. */
  readonly requestsPerMinute: number;
  /** Whether `/docs` is served. */
  readonly docs: boolean;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly log: Log;
  /** Aborted when the process stops; ends exports. */
  readonly stopping: AbortSignal;
}

export interface ChannelView {
  readonly name: string;
  readonly type: string;
  readonly circuit: CircuitView;
}

/** What is told of the channels: never their settings, which may hold secrets. */
export interface Channels {
  list(): readonly ChannelView[];
}

/** API keys, as far as the API manages them; new ones are made by the command line alone. */
export type Keys = Pick<KeyStore, "list" | "revoke">;
