import { expect, test } from "vitest";

import { formatJson } from "../../../events/json.ts";
import { cloudtrail } from "./cloudtrail.ts";
import { github } from "./github.ts";
import { kubernetes } from "./kubernetes.ts";
import type { Source } from "./source.ts";
import { sshd } from "./sshd.ts";

/** A text of which a cut at `length` takes one half of its last character. */
const longer = (length: number) => `${"x".repeat(length - 1)}😀`;

const records: readonly (readonly [name: string, source: Source, record: unknown])[] = [
  [
    "CloudTrail",
    cloudtrail,
    {
      eventVersion: "1.11",
      eventSource: "iam.amazonaws.com",
      eventName: "CreateUser",
      eventTime: "2026-11-21T12:00:00Z",
      eventID: longer(256),
      userIdentity: { type: "IAMUser", userName: longer(1024) },
    },
  ],
  ["GitHub", github, { action: "repo.create", actor: longer(1024), _document_id: longer(256) }],
  [
    "Kubernetes",
    kubernetes,
    {
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      auditID: longer(256),
      verb: "create",
      user: { username: longer(1024) },
      objectRef: { resource: "pods", name: longer(1019) },
      requestReceivedTimestamp: "2026-11-21T12:00:00Z",
    },
  ],
  ["sshd", sshd, `Nov 21 12:00:00 h sshd[1]: Invalid user ${longer(1024)} from 203.0.113.7 port 5`],
];

test.for(records)("a text of %s that is too long is cut so that it can be sent", ([, source, record]) => {
  const meta = { headers: {}, receivedAt: Date.UTC(2026, 10, 21, 12), repetition: () => 0 };
  const [adapted] = source.adapt(record, meta);
  const { original: _, ...data } = adapted?.data ?? {};
  expect(JSON.stringify(data)).toContain("\uFFFD");
  expect(formatJson(data)).toBeInstanceOf(Buffer);
});
