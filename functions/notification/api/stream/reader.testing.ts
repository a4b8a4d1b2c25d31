import { randomUUID } from "node:crypto";
import type postgres from "postgres";

/** One event of a stream, as a browser would see it. */
export interface Heard {
  readonly event: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into whatever was sent
  readonly data: any;
}

/** A reader of a stream of server-sent events; what it hears is kept. */
export interface StreamReader {
  readonly heard: Heard[];
  /** Ids of alerts in the order in which they were told. */
  alerts(): readonly string[];
  /** The cursor it would come back with. */
  lastId(): string;
  /** Resolves when the stream has ended. */
  readonly ended: Promise<void>;
  leave(): Promise<void>;
}

/** Reads the body of an answer until it ends or is left. */
export function readStream(response: Response): StreamReader {
  if (!response.body) throw new Error("The answer has no body.");
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const heard: Heard[] = [];
  let lastId = "";
  const take = (block: string) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];
    lastId = field("id") ?? lastId;
    const data = field("data");
    if (data !== undefined) heard.push({ event: field("event") ?? "message", data: JSON.parse(data) });
  };
  const run = async () => {
    let buffered = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const blocks = (buffered + value).split("\n\n");
      buffered = blocks.pop() ?? "";
      for (const block of blocks) take(block);
    }
  };
  const ended = run().catch(() => undefined);
  return {
    heard,
    alerts: () =>
      heard.flatMap(({ event, data }) => (event === "alert.changed" ? [String(data.alert_id)] : [])),
    lastId: () => lastId,
    ended,
    async leave() {
      await reader.cancel();
      await ended;
    },
  };
}

export interface EpisodeFields {
  readonly id?: string;
  readonly status?: string;
  readonly severity?: string;
}

/** Stores an alert and tells those who listen, as the store does; answers its id. */
export async function insertEpisode(
  sql: postgres.ISql,
  { id = randomUUID(), status = "open", severity = "HIGH" }: EpisodeFields = {},
): Promise<string> {
  await sql`
    insert into episodes (episode_id, received_at, group_id, timestamp, first_seen, last_seen, count, status,
      alert_name, alert_type, severity, description, rule_id, rule_name, action_observed)
    values (${id}, now(), ${id}, now(), now(), now(), 1, ${status}, 'Failed logins', 'SECURITY', ${severity},
      '', 'r1', 'Rule', 'user_login')`;
  await sql`select pg_notify('auditflow_alerts', '')`;
  return id;
}
