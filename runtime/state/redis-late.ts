import type { RedisConnection } from "./redis-connection.ts";
import { windowIdleMs } from "./state.ts";
import type { BucketMembers, State, WindowName } from "./state.ts";

/** Members per command, so that a huge bucket neither blocks Redis nor overflows a call. */
const maxMembers = 2000;

/** What late buckets were told of: one set per bucket that expires by itself. Losing it costs repetition only. */
export function createRedisLate(
  redis: RedisConnection,
  keyOf: (window: WindowName, bucket: number) => string,
): Pick<State, "confirmLate" | "unconfirmedLate"> {
  async function add(window: WindowName, { bucket, members }: BucketMembers): Promise<void> {
    const key = keyOf(window, bucket);
    const pages = inPages(members.map(({ member }) => member));
    // Sent together: a set that lost its connection before it was told when to expire would stay for ever.
    await Promise.all([
      ...pages.map((page) => redis.command("SADD", key, ...page)),
      redis.command("PEXPIRE", key, String(windowIdleMs)),
    ]);
  }

  async function areKnown(key: string, members: readonly string[]): Promise<readonly boolean[]> {
    const pages = inPages(members).map(async (page): Promise<readonly unknown[]> => {
      const reply = await redis.command("SMISMEMBER", key, ...page);
      return Array.isArray(reply) ? reply : [];
    });
    return (await Promise.all(pages)).flat().map((found) => Number(found) === 1);
  }

  return {
    confirmLate: async (window, recorded) => {
      await Promise.all(
        recorded.filter(({ members }) => members.length > 0).map((part) => add(window, part)),
      );
    },
    unconfirmedLate: async (window, buckets) =>
      Promise.all(
        buckets.map(async (part) => {
          const names = part.members.map(({ member }) => member);
          const known = await areKnown(keyOf(window, part.bucket), names);
          return { ...part, members: part.members.filter((_, index) => !known[index]) };
        }),
      ),
  };
}

function inPages(members: readonly string[]): readonly (readonly string[])[] {
  const count = Math.ceil(members.length / maxMembers);
  return Array.from({ length: count }, (_, page) =>
    members.slice(page * maxMembers, (page + 1) * maxMembers),
  );
}
