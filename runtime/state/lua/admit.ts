/**
 * Admits a member while its key has room. KEYS the key. ARGV member, limit, milliseconds to remember.
 * Answers 1 when it is, or was, admitted.
 */
export const admitScript = `
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then return 1 end
if redis.call('SCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`;
