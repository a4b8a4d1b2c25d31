import { alertRaised } from "./contracts/alert-raised.ts";
import { alertUpdated } from "./contracts/alert-updated.ts";
import { auditRecorded } from "./contracts/audit-recorded.ts";
import { eventRejected } from "./contracts/event-rejected.ts";
import { notificationDelivered } from "./contracts/notification-delivered.ts";
import { notificationFailed } from "./contracts/notification-failed.ts";

/** Every kind of event AuditFlow knows. */
export const contracts = [
  auditRecorded,
  alertRaised,
  alertUpdated,
  notificationDelivered,
  notificationFailed,
  eventRejected,
] as const;
