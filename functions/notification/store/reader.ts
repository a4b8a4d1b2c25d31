import type { Postgres } from "../../../runtime/postgres/postgres.ts";
import {
  type AlertRow,
  type DeliveryRow,
  findAlert,
  listAlerts,
  listDeliveries,
  type Page,
} from "./read-alerts.ts";
import { type DeadLetterRow, listDeadLetters } from "./read-dead-letters.ts";

/** What people and the dashboard ask of the store. Every call throws UnavailableError while it is away. */
export interface Reader {
  listAlerts(page: Page): Promise<readonly AlertRow[]>;
  findAlert(id: string): Promise<AlertRow | undefined>;
  listDeliveries(episodeId: string): Promise<readonly DeliveryRow[]>;
  listDeadLetters(limit: number): Promise<readonly DeadLetterRow[]>;
}

export function createReader({ sql }: Postgres): Reader {
  return {
    listAlerts: (page) => listAlerts(sql, page),
    findAlert: (id) => findAlert(sql, id),
    listDeliveries: (episodeId) => listDeliveries(sql, episodeId),
    listDeadLetters: (limit) => listDeadLetters(sql, limit),
  };
}
