import { describe, expect, test } from "vitest";

import { decodeRequest } from "../../../events/http.ts";
import { send } from "./incidents.testing.ts";
import { alert, deliveryId, message } from "./receiver.testing.ts";

describe("cloudevent-sink", () => {
  test("POSTs a CloudEvent in binary mode", async () => {
    const { requests } = await send("cloudevent-sink");
    expect(requests).toMatchObject([{ method: "POST", path: "/events" }]);
    const [request] = requests;
    const event = decodeRequest({ headers: request?.headers ?? {}, body: Buffer.from(request?.body ?? "") });
    expect(event).toMatchObject({
      id: deliveryId,
      source: "/auditflow/notification",
      type: "io.auditflow.notification.message.v1",
      subject: alert.alert_id,
      time: message.timestamp,
      extensions: { severitytext: "HIGH" },
      data: message,
    });
  });

  test.for([
    [404, true],
    [409, true],
    [400, false],
    [415, false],
  ] as const)("%i: may pass is %s", async ([status, passing]) => {
    const { result } = await send("cloudevent-sink", message, { reply: () => ({ status }) });
    expect(result).toMatchObject({ status, passing });
  });
});
