import { windowGraceMs, windowIdleMs } from "../state.ts";
import type { WindowLimits } from "../state.ts";

/*
 * Adding a member to its window, inside Redis.
 *
 * In the steady state of a stream this is five commands: what is covered (HMGET), the clock, everything the
 * window knows of itself and of the member (ZMSCORE), all new entries (ZADD), and how many there are. The
 * rest is done when due. What fell out is removed once some of it has piled up, which no answer can see
 * because none looks below the floor. The registry is asked when a window is not there, to tell a new one
 * from a lost one, and when its registration is `registrationSlackMs` old.
 */

/** How much sooner than the last use of a window tells its registration may expire; see windowGraceMs. */
const registrationSlackMs = 300_000;
/** Expired registrations removed for each new one: more than one, so that they become fewer. */
const sweep = 4;
/** Windows of fewer entries are left as they are, for they expire as a whole. */
const smallWindow = 48;

/** Scores are a time plus the beginning of a range. */
const ranges = `
local RANGE = 17592186044416
local OWN, NEXT, FACT, RULE, CONTROL = RANGE, 2 * RANGE, 3 * RANGE, 4 * RANGE, -4 * RANGE
`;

const argumentsOf = `
local window, groups = KEYS[3], KEYS[4]
local generation, series, member, tag, time = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local timespan, retained = tonumber(ARGV[6]), tonumber(ARGV[7])
local FIRST_FACT = 11
`;

const trust = `
local known = redis.call('HMGET', epoch, 'generation', 'series:' .. series)
if known[1] ~= generation then return lost('other epoch') end
local from = tonumber(known[2] or ARGV[8])
if not from then return lost('series not covered') end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
`;

const accept = `
local entry = 'm' .. tag .. member
local asked = {window, 'f', 'c', 't', 'g', entry}
if RULES == 0 and tag ~= '' then asked[7] = 'v' .. ARGV[FIRST_FACT] end
for rule = 0, RULES - 1 do asked[7 + rule] = 'v' .. rule end
local held = redis.call('ZMSCORE', unpack(asked))

local stored = held[1] and held[1] - CONTROL
local cut = held[2] and held[2] - CONTROL or -1
local expires = now + retained + ${windowIdleMs}
local isDue = not held[4] or held[4] - CONTROL + ${registrationSlackMs} < expires
if isDue then
  local registered = redis.call('ZMSCORE', registry, '', window)
  if not registered[1] then return forget('registry gone') end
  if not stored and registered[2] and tonumber(registered[2]) > now then return forget('window gone') end
end
local floor = math.max(stored or now - retained - ${windowGraceMs}, from, time - retained)
if time <= floor then return {1} end
if not stored and redis.call('ZCOUNT', groups, now + 1, '+inf') >= GROUPS then return {2} end
local trimmed = held[3] and held[3] - CONTROL or stored or floor

local added = {window}
local function add(score, name)
  added[#added + 1] = score
  added[#added + 1] = name
end
-- When each rule asked about was shown last; of values, only this one's is known here.
local latest = {}
for rule = 0, RULES - 1 do latest[rule] = held[6 + rule] and held[6 + rule] - FACT end
if RULES == 0 and tag ~= '' then latest[ARGV[FIRST_FACT]] = held[6] and held[6] - FACT end
for i = FIRST_FACT, #ARGV do
  local fact = RULES > 0 and tonumber(ARGV[i]) or ARGV[i]
  if not latest[fact] or latest[fact] < time then
    latest[fact] = time
    add(time + FACT, 'v' .. ARGV[i])
  end
end
local isHeld = time >= cut
if isHeld and not held[5] then
  add(ARGV[5], entry)
  add(time + OWN, 'o' .. member)
  add(time + NEXT, 'n' .. member)
  if RULES > 0 then
    for i = FIRST_FACT, #ARGV do add(time + RULE + ARGV[i] * RANGE, 'r' .. ARGV[i] .. ':' .. member) end
  end
end
if floor ~= stored then add(floor + CONTROL, 'f') end
if not held[3] then add(trimmed + CONTROL, 't') end
if isDue then add(expires + CONTROL, 'g') end
if #added > 1 then redis.call('ZADD', unpack(added)) end
`;

const register = `
if isDue then
  local name = string.sub(window, -43)
  redis.call('ZADD', registry, expires, window)
  redis.call('ZADD', groups, expires, name)
  -- The key outlives its registration, so that a registered window without a key is proof of a loss.
  redis.call('PEXPIRE', window, retained + ${windowIdleMs + 60_000})
  redis.call('PEXPIRE', groups, retained + ${windowIdleMs + 60_000})
  for _, key in ipairs({registry, groups}) do
    local expired = redis.call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, ${sweep})
    if #expired > 0 then redis.call('ZREM', key, unpack(expired)) end
  end
end
`;

/**
 * What lies at the floor and below, and, when there are too many, the oldest. Functions are made only where
 * they are used: making one costs as much as a simple command.
 */
const forgetOld = `
local size = redis.call('ZCARD', window)
if size > MEMBERS or size > ${smallWindow} and floor - trimmed > retained / 8 then
  if floor > trimmed then
    for range = 0, 3 + RULES do
      redis.call('ZREMRANGEBYSCORE', window, range * RANGE, range * RANGE + floor)
    end
    redis.call('ZADD', window, floor + CONTROL, 't')
  end
  local function surplus(range)
    local count = redis.call('ZCOUNT', window, range, range + RANGE - 1) - MEMBERS
    if count <= 0 then return {} end
    return redis.call('ZRANGEBYSCORE', window, range, range + RANGE - 1, 'WITHSCORES', 'LIMIT', 0, count)
  end
  local function evict(name)
    local shown, own = '', string.sub(name, 2)
    if tag ~= '' then
      local length, at = string.match(name, '^m(%d+):()')
      shown, own = string.sub(name, at, at + length - 1), string.sub(name, at + length)
    end
    local entries = {window, name, 'o' .. own, 'n' .. own}
    if RULES > 0 then
      for rule in string.gmatch(shown, '%d+') do entries[#entries + 1] = 'r' .. rule .. ':' .. own end
    end
    redis.call('ZREM', unpack(entries))
    if name == entry then isHeld = false end
  end
  if size > MEMBERS then
    local gone = surplus(0)
    for i = 1, #gone, 2 do evict(gone[i]) end
    if #gone > 0 then
      cut = tonumber(gone[#gone])
      redis.call('ZADD', window, cut + CONTROL, 'c')
    end
    gone = RULES == 0 and surplus(FACT) or {}
    for i = 1, #gone, 2 do redis.call('ZREM', window, gone[i]) end
  end
end
`;

/**
 * Needs RULES, the number of rules a condition asks about, 0 when it asks about none, and NEEDED, how many
 * members it may need. Leaves time, timespan, floor, cut, isHeld and latest, or has answered {1} (late) or {2} (no
 * room for another group).
 */
export function insert({ groupsPerSeries, membersPerGroup }: WindowLimits): string {
  const limits = `local GROUPS, MEMBERS = ${groupsPerSeries}, math.max(${membersPerGroup}, NEEDED)`;
  return [limits, ranges, argumentsOf, trust, accept, register, forgetOld].join("\n");
}
