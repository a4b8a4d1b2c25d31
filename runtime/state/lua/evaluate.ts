import type { WindowKind } from "../state.ts";

/*
 * Which windows a member affects, and the answer, inside Redis.
 *
 * The window of every position t in [time, limit] is (lower(t), t], where lower(t) = max(t - timespan,
 * base). Qualifying windows of one bucket begin less than a timespan apart, so they touch: together they
 * are one range, from the first one's start to the last one's end.
 */

/** Where the member's windows may begin, eviction or not. */
const outer: Readonly<Record<WindowKind["kind"], string>> = {
  sliding: `local reach = time - timespan`,
  tumbling: `local reach = math.floor(time / timespan) * timespan - 1`,
  session: `local reach = time - timespan`,
};

/** Sets base and limit; of a session, reach too: a gap wide enough proves that nothing evicted belongs to it. */
const bounds: Readonly<Record<WindowKind["kind"], string>> = {
  sliding: `base, limit = reach, time + timespan - 1`,
  tumbling: `base, limit = reach, reach + timespan`,
  // Whoever lies within a gap of a member is connected with it, so whole gaps are passed at a stride.
  session: `
local gap = tonumber(ARGV[9])
local function furthest(command, from, to)
  return redis.call(command, window, from, to, 'WITHSCORES', 'LIMIT', 0, 1)[2]
end
local first, last = time, time
while true do
  local before = furthest('ZRANGEBYSCORE', math.max(first - gap, time - timespan + 1), first - 1)
  if not before then break end
  first = tonumber(before)
end
while true do
  local after = furthest('ZREVRANGEBYSCORE', math.min(last + gap, time + timespan - 1), last + 1)
  if not after then break end
  last = tonumber(after)
end
base, limit = first - 1, last
if first - cut > gap then reach = base end
`,
};

const begin = `
if time - timespan < floor or not isHeld then return {1} end
`;

const lower = `
local base, limit, isFactual
local function lower(t) return math.max(t - timespan, base) end
`;

/**
 * In a stream in order the member is the newest, and its own position all there is to evaluate. What
 * qualifies with the members left qualifies whatever was evicted; and then so does every later position
 * whose window reaches as far.
 */
const decide = `
local answer = {0}
local newest = redis.call('ZREVRANGEBYSCORE', window, limit, time, 'WITHSCORES', 'LIMIT', 0, 1)
local isNewest = tonumber(newest[2]) == time
isFactual = isNewest or cut <= reach
if cut > reach and not qualifies(time) then return {1} end
`;

const describe = `
local function append(from, to, range)
  if from > to then return 0 end
  local found = redis.call('ZRANGEBYSCORE', window, from + range, to + range, 'WITHSCORES')
  for _, value in ipairs(found) do answer[#answer + 1] = value end
  return #found / 2
end
local function describe(first, last)
  local after, bucket = lower(first), math.floor(first / timespan)
  local seen = redis.call('ZRANGEBYSCORE', window, after + 1, last, 'WITHSCORES', 'LIMIT', 0, 1)
  local count = redis.call('ZCOUNT', window, after + 1, last)
  for _, value in ipairs({bucket, first, count, seen[2], last, 0}) do answer[#answer + 1] = value end
  local at, start = #answer, bucket * timespan
  local found = append(after + 1, math.min(last, start - 1), NEXT)
  answer[at] = found + append(math.max(after + 1, start), last, OWN)
end
local function bucketOf(from, to)
  if from > to then return end
  local first, last = extent(from, to)
  if first then describe(first, last) end
end

if isNewest then
  if qualifies(time) then describe(time, time) end
  return answer
end
local boundary = (math.floor(time / timespan) + 1) * timespan
bucketOf(time, math.min(limit, boundary - 1))
bucketOf(boundary, limit)
return answer
`;

/** Answers {1} (late) or {0, (bucket, first position, count, first time, last position, n, n times (entry, score))...}. */
export function evaluate(
  kind: WindowKind["kind"],
  condition: { readonly hopeless: string; readonly decide: string },
): string {
  const hopeless = `${condition.hopeless}\nif hopeless(reach) then return {0} end`;
  return [begin, outer[kind], hopeless, lower, condition.decide, bounds[kind], decide, describe].join("\n");
}
