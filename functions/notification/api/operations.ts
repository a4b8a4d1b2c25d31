import type { Operation } from "./operation.ts";
import { getMe, listKeys, revokeKey } from "./routes/access.ts";
import { alertFacets, alertHistogram, getAlert, listAlerts } from "./routes/alerts.ts";
import { changeAlert, changeAlerts, listChanges } from "./routes/changes.ts";
import { listChannels, redriveChannel, testChannel } from "./routes/channels.ts";
import {
  discardDeadLetter,
  getDeadLetter,
  listDeadLetters,
  replayDeadLetter,
} from "./routes/dead-letters.ts";
import { discardDelivery, getDelivery, listDeliveries, resendDelivery } from "./routes/deliveries.ts";
import { exportAlerts } from "./routes/export.ts";
import { createSilence, expireSilence, getSilence, listSilences, previewSilence } from "./routes/silences.ts";
import { streamAlerts } from "./routes/stream.ts";

/** Every operation, in the order of the document; of two paths that fit the one with fewer parameters first. */
export const operations: readonly Operation[] = [
  listAlerts,
  alertFacets,
  alertHistogram,
  exportAlerts,
  changeAlerts,
  getAlert,
  listChanges,
  changeAlert,
  streamAlerts,
  listSilences,
  createSilence,
  previewSilence,
  getSilence,
  expireSilence,
  listDeliveries,
  getDelivery,
  resendDelivery,
  discardDelivery,
  listChannels,
  testChannel,
  redriveChannel,
  listDeadLetters,
  getDeadLetter,
  replayDeadLetter,
  discardDeadLetter,
  getMe,
  listKeys,
  revokeKey,
];
