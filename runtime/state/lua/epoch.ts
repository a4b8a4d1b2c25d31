/*
 * Which windows can be trusted, inside Redis.
 *
 * A script that finds proof of lost memory deletes the epoch, so that every replica learns of it and a
 * rebuild starts from nothing.
 */

/** First word of the error reply that becomes StateLostError. */
export const stateLost = "STATELOST";

/** Every script begins with this. KEYS epoch, registry. */
export const preamble = `
local epoch, registry = KEYS[1], KEYS[2]

local function lost(why) return redis.error_reply('${stateLost} ' .. why) end
local function forget(why)
  redis.call('DEL', epoch)
  return lost(why)
end
`;

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
