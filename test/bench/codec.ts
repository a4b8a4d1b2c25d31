import { HTTP } from "cloudevents";

import { auditRecorded } from "../../events/contracts/audit-recorded.ts";
import { parseEvent } from "../../events/envelope.ts";
import { decodeRequest, encodeBinary, encodeStructured } from "../../events/http.ts";
import { sampleEvent } from "./sample.ts";
import { compare, nanosecondsPerCall, type Report } from "./measure.ts";

const rounds = 15;
const unit = "ns";

/** Decoding, validating and encoding one audit event, against parsing or printing its JSON. */
export async function run(): Promise<readonly Report[]> {
  const binary = encodeBinary(sampleEvent);
  const structured = encodeStructured(sampleEvent);
  const text = binary.body.toString();
  return [
    await compare(`Decode one event (${binary.body.length} bytes of JSON)`, {
      rounds,
      unit,
      subjects: [
        subject("JSON.parse of the text", () => JSON.parse(text)),
        { ...subject("decodeRequest, binary", () => decodeRequest(binary)), aim: { atMost: 2 } },
        {
          ...subject("decodeRequest, binary, and parseEvent", () =>
            parseEvent([auditRecorded], decodeRequest(binary)),
          ),
          aim: { atMost: 4 },
        },
        subject("decodeRequest, structured", () => decodeRequest(structured)),
        subject("cloudevents SDK, HTTP.toEvent", () => HTTP.toEvent({ headers: binary.headers, body: text })),
      ],
    }),
    await compare("Encode one event", {
      rounds,
      unit,
      subjects: [
        subject("JSON.stringify of the data", () => JSON.stringify(sampleEvent.data)),
        { ...subject("encodeBinary", () => encodeBinary(sampleEvent)), aim: { atMost: 3 } },
        subject("encodeStructured", () => encodeStructured(sampleEvent)),
      ],
    }),
  ];
}

function subject(name: string, call: () => unknown) {
  return { name, measure: nanosecondsPerCall(call) };
}
