import type { Receipt } from "./intake.ts";
import { type Problem, problemResponse } from "./problem.ts";

/** A receipt and the position of the record in the request it belongs to. */
export interface IndexedReceipt {
  readonly index: number;
  readonly receipt: Receipt;
}

/** The answer about one event: 202 with its id, or the problem. */
export function answerOne(receipt: Receipt): Response {
  return receipt.status === "accepted" ? json(202, receipt) : problemResponse(receipt.problem);
}

/** The answer to the predecessor's clients, in its words. */
export function answerPredecessor(receipt: Receipt, eventId: string): Response {
  return receipt.status === "accepted"
    ? json(202, { status: "success", event_id: eventId })
    : problemResponse(receipt.problem);
}

/**
 * The answer about several. `results` tells each one's fate, whatever the status:
 * 202 all were accepted; 207 some were, and the others never will be; 422 none was; 503 (or 500) some could
 * not be made durable now. The last comes first, because a sender that reads no body must send them again;
 * repeating those that were accepted is harmless.
 */
export function answerMany(receipts: readonly IndexedReceipt[]): Response {
  const problems = receipts.flatMap(({ receipt }) => (receipt.status === "refused" ? [receipt.problem] : []));
  const members = {
    accepted: receipts.length - problems.length,
    refused: problems.length,
    results: receipts.map(resultOf),
  };
  const [first] = problems;
  if (first === undefined) return json(202, members);
  const failure = problems.find(({ status }) => status >= 500);
  if (failure !== undefined) return problemResponse(summarise(failure, members), { members });
  if (members.accepted > 0) return json(207, members);
  return problemResponse({ ...summarise(first, members), status: 422 }, { members });
}

/** One row of `results`; `status` is what the event would have been answered alone. */
function resultOf({ index, receipt }: IndexedReceipt) {
  if (receipt.status === "accepted") return { index, ...receipt, status: 202 };
  return { index, ...receipt, status: receipt.problem.status };
}

function summarise(problem: Problem, { accepted, refused }: { accepted: number; refused: number }): Problem {
  const { pointer: _, ...rest } = problem;
  const detail = `${refused} of ${accepted + refused} events were not accepted; "results" tells which. The first problem: ${problem.detail}`;
  return { ...rest, detail };
}

export function json(status: number, body: unknown): Response {
  return Response.json(body, { status });
}
