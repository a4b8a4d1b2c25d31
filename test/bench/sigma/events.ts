import { readFileSync } from "node:fs";
import { join } from "node:path";

import { createRandom, type Random } from "./random.ts";
import type { Source } from "./rules.ts";

/**
 * So many events as texts, out of the few real ones there are: whatever looks like an identifier, an
 * address or a time (six digits and more) gets other digits every time, user agents one time in five. So
 * hardly an event is like another, and what repeats is what repeats in such logs.
 */
export function readEvents(folder: string | undefined, { name }: Source, count: number): readonly string[] {
  const random = createRandom(8_080);
  const real =
    folder === undefined
      ? inventEvents(name, random)
      : linesOf(readFileSync(join(folder, `${name}.ndjson`), "utf8"));
  return Array.from({ length: count }, (_, number) => {
    const event: unknown = JSON.parse(real[number % real.length] ?? "{}");
    return JSON.stringify(event, (key, value: unknown) =>
      typeof value === "string" ? change(key, value, random) : value,
    );
  });
}

function linesOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}

function change(key: string, value: string, random: Random): string {
  const digits = value.match(/\d/g)?.length ?? 0;
  if (digits < 6 || (/agent/i.test(key) && random.below(5) > 0)) return value;
  return value.replaceAll(/\d/g, () => `${random.below(10)}`);
}

/** The texts each field holds in these events; nested fields by their dotted names. */
export function valuesOf(events: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, Set<string>>();
  const visit = (value: unknown, path: string): void => {
    if (typeof value === "string") {
      const seen = values.get(path) ?? new Set();
      values.set(path, seen.add(value));
    } else if (Array.isArray(value)) for (const member of value) visit(member, path);
    else if (typeof value === "object" && value !== null) {
      for (const [key, inner] of Object.entries(value)) visit(inner, path === "" ? key : `${path}.${key}`);
    }
  };
  for (const event of events) visit(JSON.parse(event), "");
  return new Map([...values].map(([path, seen]) => [path, [...seen].slice(0, 200)]));
}

const actions = "Get List Describe Create Delete Update Put Attach Detach Run Stop Start".split(" ");
const things = "Bucket User Role Policy Instance Function Key Secret Topic Queue Table Stack".split(" ");

/** For where no events are given: records of the shape of CloudTrail's. */
function inventEvents(name: string, random: Random): readonly string[] {
  return Array.from({ length: 60 }, () => {
    const user = `user-${random.below(30)}`;
    return JSON.stringify({
      eventVersion: "1.08",
      source: name,
      userIdentity: {
        type: random.pick(["IAMUser", "AssumedRole", "Root"]),
        arn: `arn:aws:iam::123456789012:user/${user}`,
        accountId: "123456789012",
        userName: user,
      },
      eventTime: "2026-08-21T10:11:12Z",
      eventSource: `${random.pick(things).toLowerCase()}.amazonaws.com`,
      eventName: `${random.pick(actions)}${random.pick(things)}`,
      awsRegion: random.pick(["eu-central-1", "us-east-1"]),
      sourceIPAddress: "10.20.30.40",
      userAgent: `aws-cli/2.1${random.below(9)}.0 Python/3.11.6 Linux/6.1.0 botocore/2.0.0`,
      requestParameters: { name: `thing-${random.below(1000)}`, tags: [{ key: "team", value: user }] },
      responseElements: null,
      requestID: "8d7c0000-1234-4321-9876-123456789012",
      eventID: "d9a07e9d-28ac-45d9-b8ef-43433808f2f0",
      readOnly: random.below(2) === 0,
      eventType: "AwsApiCall",
      recipientAccountId: "123456789012",
    });
  });
}
