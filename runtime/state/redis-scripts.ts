/*
 * The window operation inside Redis. Text of Lua rather than files, so that a bundle carries it.
 *
 * Keys, all below one prefix: `epoch`, a hash of the server's run_id, the generation of the windows and
 * `series:<name>` -> covered from; `registry`, a sorted set of every window -> when it may expire, plus
 * the member "" that proves that the registry itself is still there; and one sorted set per window.
 *
 * A window holds four kinds of entries in one key, so that it can only vanish as a whole:
 *   m<member>  score time          the members
 *   o<member>  score time + 2^44   not confirmed for the bucket of their own position
 *   n<member>  score time + 2^45   not confirmed for the bucket after that
 *   f          score floor - 2^46  every offered event later than the floor is in
 * Event times are whole milliseconds in (0, 2^44), until the year 2527, so the ranges cannot meet and
 * every score is exact in a double.
 *
 * A script that finds proof of lost memory deletes the epoch, so that every replica learns of it and a
 * rebuild starts from nothing.
 */

export const pendingOwn = 2 ** 44;
export const pendingNext = 2 ** 45;

/** First word of the error reply that becomes StateLostError. */
export const stateLost = "STATELOST";

const preamble = `
local epoch, registry, window = KEYS[1], KEYS[2], KEYS[3]
local OWN, NEXT, FLOOR = 17592186044416, 35184372088832, -70368744177664

local function text(number) return string.format('%.0f', number) end
local function lost(why) return redis.error_reply('${stateLost} ' .. why) end
local function forget(why)
  redis.call('DEL', epoch)
  return lost(why)
end
`;

const insert = `
local generation, series, member, time = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local timespan, lateness, threshold = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local idle, grace = tonumber(ARGV[8]), tonumber(ARGV[9])

local known = redis.call('HMGET', epoch, 'generation', 'series:' .. series)
if known[1] ~= generation then return lost('other epoch') end
local from = tonumber(known[2] or ARGV[10])
if not from then return lost('series not covered') end
if not redis.call('ZSCORE', registry, '') then return forget('registry gone') end

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local retained = timespan + lateness

local floor = redis.call('ZSCORE', window, 'f')
if floor then
  floor = tonumber(floor) - FLOOR
else
  local expires = redis.call('ZSCORE', registry, window)
  if expires and tonumber(expires) > now then return forget('window gone') end
  floor = now - retained - grace
end
local stored = floor

local newest = time
local last = redis.call('ZREVRANGEBYSCORE', window, text(OWN - 1), '0', 'WITHSCORES', 'LIMIT', 0, 1)
if last[2] and tonumber(last[2]) > newest then newest = tonumber(last[2]) end
floor = math.max(floor, from, newest - retained)
if time <= floor then return {1} end

if redis.call('ZADD', window, 'NX', ARGV[4], 'm' .. member) == 1 then
  redis.call('ZADD', window, text(time + OWN), 'o' .. member, text(time + NEXT), 'n' .. member)
end
redis.call('ZADD', window, text(floor + FLOOR), 'f')
if floor > stored then
  redis.call('ZREMRANGEBYSCORE', window, '0', text(floor))
  redis.call('ZREMRANGEBYSCORE', window, text(OWN), text(floor + OWN))
  redis.call('ZREMRANGEBYSCORE', window, text(NEXT), text(floor + NEXT))
end
-- The key outlives its registration, so that a registered window without a key is proof of a loss.
redis.call('PEXPIRE', window, text(retained + idle + 60000))
redis.call('ZADD', registry, text(now + retained + idle), window)
for _, expired in ipairs(redis.call('ZRANGEBYSCORE', registry, '-inf', text(now), 'LIMIT', 0, 4)) do
  redis.call('ZREM', registry, expired)
end
`;

const evaluate = `
if time - timespan < floor then return {1} end

local function count(after, upTo)
  return redis.call('ZCOUNT', window, '(' .. text(after), text(upTo))
end
local answer = {0}
if count(time - timespan, time + timespan - 1) < threshold then return answer end

-- The first qualifying position in [from, to], walking upwards, or downwards when reversed. Where windows
-- are crowded almost every position qualifies, so the walk is short; where they are not, so is the range.
local function qualifying(from, to, reversed)
  local bound = text(from)
  if reversed then bound = text(to) end
  while true do
    local page
    if reversed then
      page = redis.call('ZREVRANGEBYSCORE', window, bound, text(from), 'WITHSCORES', 'LIMIT', 0, 16)
    else
      page = redis.call('ZRANGEBYSCORE', window, bound, text(to), 'WITHSCORES', 'LIMIT', 0, 16)
    end
    local previous
    for i = 2, #page, 2 do
      local position = tonumber(page[i])
      if position ~= previous and count(position - timespan, position) >= threshold then return position end
      previous = position
    end
    if #page < 32 then return nil end
    bound = '(' .. text(previous)
  end
end

local function append(from, to, offset)
  if from > to then return 0 end
  local found = redis.call('ZRANGEBYSCORE', window, text(from + offset), text(to + offset), 'WITHSCORES')
  for _, value in ipairs(found) do answer[#answer + 1] = value end
  return #found / 2
end

local function bucketOf(from, to)
  local first = qualifying(from, to, false)
  if not first then return end
  local upTo = qualifying(from, to, true)
  local after = first - timespan
  local bucket = math.floor(first / timespan)
  local seen = redis.call('ZRANGEBYSCORE', window, '(' .. text(after), text(upTo), 'WITHSCORES', 'LIMIT', 0, 1)
  for _, value in ipairs({text(bucket), text(first), count(after, upTo), seen[2], text(upTo)}) do
    answer[#answer + 1] = value
  end
  answer[#answer + 1] = 0
  local at = #answer
  local start = bucket * timespan
  local found = append(after + 1, math.min(upTo, start - 1), NEXT)
  found = found + append(math.max(after + 1, start), upTo, OWN)
  answer[at] = found
end

local boundary = (math.floor(time / timespan) + 1) * timespan
bucketOf(time, math.min(time + timespan, boundary) - 1)
bucketOf(boundary, time + timespan - 1)
return answer
`;

/**
 * Adds a member and evaluates what it affects. KEYS epoch, registry, window. ARGV generation, series, member,
 * time, timespan, lateness, threshold, idle, grace, "". Answers {late} or {0, (bucket, first
 * position, count, first time, last position, n, n times (entry, score))...}.
 */
export const windowScript = preamble + insert + evaluate;

/** Adds a member during a rebuild: as above, with the coverage of the series in ARGV[10]. */
export const addScript = `${preamble + insert}\nreturn {0}`;

/**
 * Begins a rebuild. KEYS epoch, registry. ARGV run, a new generation, series... Answers the generation
 * whose windows are to be filled: the current one when its other windows can be trusted, else the new one.
 * A generation belongs to one life of the server for ever, so everything else need only compare it.
 */
export const beginScript = `${preamble}
local run, generation = ARGV[1], ARGV[2]
local known = redis.call('HMGET', epoch, 'run', 'generation')
if known[1] == run and known[2] and redis.call('ZSCORE', registry, '') then
  for i = 3, #ARGV do redis.call('HDEL', epoch, 'series:' .. ARGV[i]) end
  return known[2]
end
redis.call('UNLINK', epoch, registry)
redis.call('ZADD', registry, '+inf', '')
redis.call('HSET', epoch, 'run', run, 'generation', generation)
return generation
`;

/** Ends a rebuild. KEYS epoch, registry. ARGV generation, (series, from)... */
export const finishScript = `${preamble}
if redis.call('HGET', epoch, 'generation') ~= ARGV[1] then return lost('other epoch') end
if not redis.call('ZSCORE', registry, '') then return forget('registry gone') end
for i = 2, #ARGV, 2 do redis.call('HSET', epoch, 'series:' .. ARGV[i], ARGV[i + 1]) end
return 1
`;
