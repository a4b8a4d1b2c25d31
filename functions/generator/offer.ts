import { answerMany, answerOne, type IndexedReceipt } from "./answer.ts";
import type { Document } from "./documents.ts";
import type { Candidate, Intake, Receipt } from "./intake.ts";
import type { AuditEvent } from "./normalise.ts";
import { createRepetitions, type Message, refusedRecord, type Repetition } from "./reading.ts";

/** Records of one request that are offered to the intake at once. */
const parallel = 256;

/** Reads the events of a record; equal records of one request are told apart by their number. */
type ReadRecord = (record: unknown, repetition: Repetition) => readonly AuditEvent[];

/** Ways to offer what a request holds. */
export interface Offer {
  /** A candidate that holds exactly one event. */
  readonly offerOne: (candidate: Candidate) => Promise<Receipt>;
  /** Each candidate on its own, in turns of a bounded number. */
  readonly offerAll: (candidates: readonly Candidate[]) => Promise<readonly IndexedReceipt[]>;
  /** The records of a body; answers as for one event when it was one. */
  readonly offerDocument: (document: Document, message: Message, read: ReadRecord) => Promise<Response>;
}

export function createOffer(intake: Intake): Offer {
  async function offerAll(candidates: readonly Candidate[]): Promise<readonly IndexedReceipt[]> {
    const receipts: IndexedReceipt[] = [];
    for (let start = 0; start < candidates.length; start += parallel) {
      const part = candidates.slice(start, start + parallel);
      const offered = await Promise.all(part.map((candidate) => intake(candidate)));
      const indexed = offered.map((each, offset) =>
        each.map((receipt) => ({ index: start + offset, receipt })),
      );
      receipts.push(...indexed.flat());
    }
    return receipts;
  }

  return {
    offerAll,
    async offerOne(candidate) {
      const [receipt] = await intake(candidate);
      if (receipt === undefined) throw new Error("An event was offered and no receipt came back.");
      return receipt;
    },
    async offerDocument({ single, items }, message, read) {
      const repetitions = createRepetitions();
      const receipts = await offerAll(
        items.map((item) => ({
          read: () => read(item.read(), () => repetitions(item)),
          refused: () => refusedRecord(item, message),
        })),
      );
      const [only] = receipts;
      return single && receipts.length === 1 && only ? answerOne(only.receipt) : answerMany(receipts);
    },
  };
}
