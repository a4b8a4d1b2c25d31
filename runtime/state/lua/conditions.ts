import type { WindowCondition } from "../state.ts";

/*
 * What windows must hold, inside Redis. ARGV[10] tells the numbers of the condition.
 *
 * The texts define, before the insertion, RULES: how many rules the condition asks about, and NEEDED: how many members; and after it,
 * in two parts because most steps end after the first,
 *   hopeless(after): nothing later than `after` can satisfy the condition, whatever was evicted
 *   qualifies(t): what is known in (lower(t), t] satisfies it
 *   extent(from, to): the first and the last position in [from, to] that qualify, or nil
 * The latest time of each fact outlives evicted members, so that in a flood the window of the newest
 * position is still known as far as it matters. Where isFactual, that is where it is the only one affected
 * or nothing of it was evicted, facts count; elsewhere members alone.
 */

interface ConditionScript {
  readonly asked: string;
  readonly hopeless: string;
  readonly decide: string;
}

/**
 * Walks from both ends. Where windows are crowded almost every position qualifies, so the walk is short;
 * where they are not, so is the range.
 */
const walk = `
local function qualifying(command, from, to)
  local skipped, previous = 0, nil
  while true do
    local page = redis.call(command, window, from, to, 'WITHSCORES', 'LIMIT', skipped, 16)
    for i = 2, #page, 2 do
      local position = tonumber(page[i])
      if position ~= previous and qualifies(position) then return position end
      previous = position
    end
    if #page < 32 then return nil end
    skipped = skipped + 16
  end
end
local function extent(from, to)
  local first = qualifying('ZRANGEBYSCORE', from, to)
  return first, first and qualifying('ZREVRANGEBYSCORE', to, first)
end
`;

const count: ConditionScript = {
  asked: `
local RULES, atLeast = 0, tonumber(ARGV[10])
local NEEDED = atLeast
`,
  hopeless: `
local function countOf(after, upTo) return redis.call('ZCOUNT', window, after + 1, upTo) end
local function hopeless(after) return cut <= after and countOf(after, time + timespan - 1) < atLeast end
`,
  decide: `
local function qualifies(t) return countOf(lower(t), t) >= atLeast end
${walk}`,
};

/**
 * The latest times of all values bound the number of those in a window from both sides, and tell it exactly
 * where the position is the newest. Only where they leave it open are members read, once.
 */
const distinct: ConditionScript = {
  asked: count.asked,
  hopeless: `
local function values(after, upTo) return redis.call('ZCOUNT', window, FACT + after + 1, FACT + upTo) end
local function hopeless(after) return values(after, RANGE - 1) < atLeast end
`,
  decide: `
local function valueOf(name)
  local length, at = string.match(name, '^m(%d+):()')
  return string.sub(name, at, at + length - 1)
end
local function seen(after, upTo)
  local times, shown = {}, {}
  local function add(page, range, toValue)
    for i = 1, #page, 2 do
      times[#times + 1], shown[#shown + 1] = page[i + 1] - range, toValue(page[i])
    end
  end
  -- A latest value that was evicted lies at the cut or before, and so before every member.
  local known = isFactual and math.min(cut, upTo) or -1
  if known > after then
    local page = redis.call('ZRANGEBYSCORE', window, FACT + after + 1, FACT + known, 'WITHSCORES')
    add(page, FACT, function(name) return string.sub(name, 2) end)
  end
  add(redis.call('ZRANGEBYSCORE', window, after + 1, upTo, 'WITHSCORES'), 0, valueOf)
  return times, shown
end
local function read(from, to)
  local times, shown = seen(lower(from), to)
  local held, different, oldest = {}, 0, 1
  local first, last
  for i = 1, #times do
    held[shown[i]] = (held[shown[i]] or 0) + 1
    if held[shown[i]] == 1 then different = different + 1 end
    local t = times[i]
    if t >= from then
      while times[oldest] <= lower(t) do
        held[shown[oldest]] = held[shown[oldest]] - 1
        if held[shown[oldest]] == 0 then different = different - 1 end
        oldest = oldest + 1
      end
      if different >= atLeast then first, last = first or t, t end
    end
  end
  return first, last
end
local function surely(t) return isFactual and values(lower(t), t) >= atLeast end
local function qualifies(t)
  if surely(t) then return true end
  return values(lower(t), RANGE - 1) >= atLeast and read(t, t) ~= nil
end
local function extent(from, to)
  local oldest = redis.call('ZRANGEBYSCORE', window, from, to, 'WITHSCORES', 'LIMIT', 0, 1)
  if not oldest[2] then return nil end
  local newest = redis.call('ZREVRANGEBYSCORE', window, to, from, 'WITHSCORES', 'LIMIT', 0, 1)
  local first, last = tonumber(oldest[2]), tonumber(newest[2])
  if surely(first) and surely(last) then return first, last end
  if values(lower(first), RANGE - 1) < atLeast then return nil end
  return read(first, last)
end
`,
};

/** Beside `latest`, which the insertion leaves: when members that are held showed a rule. */
const heldRules = `
-- The last time up to t of a held member that shows the rule.
local function heldUntil(rule, t)
  local range = RULE + rule * RANGE
  local page = redis.call('ZREVRANGEBYSCORE', window, range + t, range, 'WITHSCORES', 'LIMIT', 0, 1)
  return page[2] and page[2] - range
end
`;

/** A window that is satisfied since one of its members begins at the earliest at `start`. */
const rules: ConditionScript = {
  asked: `
local sets, RULES, NEEDED = {}, 0, 0
for text in string.gmatch(ARGV[10], '[^;]+') do
  local set = {}
  for rule in string.gmatch(text, '%d+') do
    set[#set + 1] = tonumber(rule)
    RULES = math.max(RULES, rule + 1)
  end
  sets[#sets + 1] = set
  NEEDED = math.max(NEEDED, #set)
end
`,
  hopeless: `
-- The latest time since when one of the sets is seen; lastTime tells when a rule was seen last.
local function start(lastTime)
  local best = -1
  for _, set in ipairs(sets) do
    local since = math.huge
    for _, rule in ipairs(set) do
      since = math.min(since, lastTime(rule) or -1)
      if since <= best then break end
    end
    best = math.max(best, since)
  end
  return best
end
local function hopeless(after) return start(function(rule) return latest[rule] end) <= after end
`,
  decide: `
${heldRules}
local function qualifies(t)
  local function lastTime(rule)
    if isFactual and latest[rule] and latest[rule] <= t then return latest[rule] end
    return heldUntil(rule, t)
  end
  return start(lastTime) > lower(t)
end
${walk}`,
};

/**
 * Looks back from a position: the last rule's latest member, before it the last but one's, and so on, which
 * leaves most room for the rest. Members of one time may stand in any order, but each for one rule only:
 * there rules are matched with members by augmenting paths.
 */
const sequence: ConditionScript = {
  asked: `
local RULES = tonumber(ARGV[10])
local NEEDED = RULES
`,
  hopeless: `
local function hopeless(after)
  for rule = 0, RULES - 1 do
    if not latest[rule] or latest[rule] <= after then return true end
  end
  return false
end
`,
  decide: `
${heldRules}
-- More candidates than rules are never needed: the others can take one each at the most.
local function matching(at)
  local ruleOf = {}
  local function place(rule, tried)
    local range = RULE + rule * RANGE
    local candidates = redis.call('ZRANGEBYSCORE', window, range + at, range + at, 'LIMIT', 0, RULES)
    for _, name in ipairs(candidates) do
      local candidate = string.match(name, ':(.*)')
      if not tried[candidate] then
        tried[candidate] = true
        if not ruleOf[candidate] or place(ruleOf[candidate], tried) then
          ruleOf[candidate] = rule
          return true
        end
      end
    end
    return false
  end
  return place
end
local function qualifies(t)
  local after = lower(t)
  local at, place
  for rule = RULES - 1, 0, -1 do
    local found = heldUntil(rule, at or t)
    if found and found == at and not place(rule, {}) then found = heldUntil(rule, at - 1) end
    if not found or found <= after then return false end
    if found ~= at then
      at, place = found, matching(found)
      place(rule, {})
    end
  end
  return true
end
${walk}`,
};

export const conditions: Readonly<Record<WindowCondition["kind"], ConditionScript>> = {
  count,
  distinct,
  rules,
  sequence,
};
