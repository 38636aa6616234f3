import {
  addChanges,
  addEntries,
  areUnchanged,
  attempt,
  begin,
  clock,
  endLease,
  keep,
  noSince,
  readKeys,
  sinceArgument,
  use,
  writeKeys,
} from './parts.ts';

/**
 * What the store does inside of Redis, one Lua script for each method, so that each is one step that nobody sees
 * half done. Redis 6.2 and later, and Valkey: https://redis.io/docs/latest/develop/programmability/eval-intro/
 *
 * The keys of a namespace share a hash tag, and thereby one slot of a cluster:
 *
 * - `{namespace}:log`: a sorted set with the log of invalidations. Its members are `k` + key and `t` + tag; the score
 *   is the position of the last invalidation. Two more members hold the state of the log: `#position` (where it ends)
 *   and `#floor`. So the log and its state can only be lost together.
 * - `{namespace}:e:` + key: an entry, see entry.ts. Expires by itself.
 * - `{namespace}:lru`: a sorted set of the entries' Redis keys by when they were last used, in microseconds.
 * - `{namespace}:exp`: the same by when they expire, in milliseconds. Redis does not tell when it drops an entry, so
 *   these two may know entries that are gone, and forget them when they meet them.
 * - `{namespace}:l:` + key: the token of who holds a lease. Expires by itself.
 * - `{namespace}:n:` + start: the counters of a span, a hash. `{namespace}:n` is a sorted set of the starts.
 *
 * Any of them may be lost alone, be it that Redis evicts it for want of memory: see `begin` and `keep` in parts.ts.
 *
 * A position is the time in microseconds, or the last position and one where that is more. So positions are
 * whole numbers that a double holds exactly until the year 2255, and even a log that was lost right after a burst of
 * invalidations starts above all that it had: Redis cannot do a million of them in a second.
 *
 * On reading, the key itself need not be looked up in the log, only the tags: what invalidates a key removes
 * its entry in the same step, and no entry is written without a look at the key.
 */
export interface Script {
  lua: string;
  /** By which Redis knows it. */
  sha1: string;
}

/**
 * KEYS: log, lru, entries. ARGV: since, most changes.
 * Replies: position, number of elements that tell changes (-1: lost), entries, changes.
 */
export const read = script(
  readKeys,
  sinceArgument,
  clock,
  begin,
  areUnchanged,
  `
local reply = { position, 0 }
`,
  attempt,
  use,
  addEntries(3),
  addChanges,
  `
return reply
`,
);

/** KEYS: lru, entries that were used. */
export const markUsed = script(
  `
local lru = KEYS[1]
`,
  clock,
  attempt,
  use,
  `
for index = 2, #KEYS do use(KEYS[index]) end
if demoted then return demoted end
`,
);

/** KEYS: log, lru, lease, entry. ARGV: token, ttl. Replies: position, whether granted, entry. */
export const lease = script(
  readKeys,
  noSince,
  clock,
  begin,
  areUnchanged,
  `
local holder = redis.call('GET', KEYS[3])
local granted = not holder or holder == ARGV[1]
if granted then redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[2]) end
local reply = { position, granted and 1 or 0 }
`,
  attempt,
  use,
  addEntries(4),
  `
return reply
`,
);

/** KEYS: lease. ARGV: token. */
export const release = script(
  endLease,
  `
endLease(KEYS[1], ARGV[1])
`,
);

/**
 * KEYS: log, lru, exp, entries, leases of those entries that have a token.
 * ARGV: most entries, number of entries; for each entry: bytes, ttl, token or nothing.
 * Replies: 1 for each entry that was kept, or 0.
 */
export const write = script(
  writeKeys,
  noSince,
  clock,
  begin,
  areUnchanged,
  endLease,
  keep,
  `
local count = tonumber(ARGV[2])
local lease = 3 + count
local reply = {}
for index = 1, count do
  local key = KEYS[3 + index]
  local bytes, ttl, token = ARGV[3 * index], ARGV[3 * index + 1], ARGV[3 * index + 2]
  if token ~= '' then
    lease = lease + 1
    endLease(KEYS[lease], token)
  end
  local _, at, tags, place = struct.unpack('>BdH', bytes)
  reply[index] = 0
  if at >= floor and at <= position then
    -- The name of an entry begins where that of the log ends: ':e:' and ':log' differ by one in length.
    local label = 'k' .. string.sub(key, #log)
    if at == position or areUnchanged(label, bytes, tags, place, at) then
      keep(key, bytes, ttl)
      reply[index] = 1
    end
  end
end
evict(tonumber(ARGV[1]), 1000 + count)
return reply
`,
);

/**
 * KEYS: log, lru, exp, entries of the keys, lease of the replacement if it has a token.
 * ARGV: since, most changes, most labels, most entries, number of keys; place of the replacement among the
 * keys or 0, its bytes, its ttl, its token or nothing; tags.
 * Replies: position, number of elements that tell changes (-1: lost), changes.
 */
export const invalidate = script(
  writeKeys,
  sinceArgument,
  clock,
  begin,
  endLease,
  keep,
  `
local count = tonumber(ARGV[5])
if count > 0 or #ARGV > 9 then
  position = math.max(position + 1, now)
  local keys = {}
  for index = 1, count do
    keys[index] = KEYS[3 + index]
    redis.call('ZADD', log, position, 'k' .. string.sub(keys[index], #log))
  end
  for index = 10, #ARGV do redis.call('ZADD', log, position, 't' .. ARGV[index]) end
  redis.call('ZADD', log, position, '#position')
  -- The first member is '#floor'. What is forgotten with a position is all that stands at it.
  local over = redis.call('ZCARD', log) - 2 - ARGV[3]
  if over > 0 then
    floor = tonumber(redis.call('ZRANGE', log, over, over, 'WITHSCORES')[2])
    redis.call('ZREMRANGEBYSCORE', log, '-inf', floor)
    redis.call('ZADD', log, floor, '#floor', position, '#position')
  end
  forget(keys)
  local place = tonumber(ARGV[6])
  if place > 0 then
    local bytes = ARGV[7]
    keep(KEYS[3 + place], string.sub(bytes, 1, 1) .. struct.pack('>d', position) .. string.sub(bytes, 10), ARGV[8])
    if ARGV[9] ~= '' then endLease(KEYS[4 + count], ARGV[9]) end
    evict(tonumber(ARGV[4]), 1000)
  end
end
local reply = { position, 0 }
`,
  addChanges,
  `
return reply
`,
);

/** KEYS: starts, span. ARGV: start, for how long it is wanted, number of sums; then names and values. */
export const count = script(`
local last = 3 + 2 * ARGV[3]
for index = 4, last, 2 do redis.call('HINCRBYFLOAT', KEYS[2], 's' .. ARGV[index], ARGV[index + 1]) end
for index = last + 1, #ARGV, 2 do
  local name, value = 'm' .. ARGV[index], ARGV[index + 1]
  local most = redis.call('HGET', KEYS[2], name)
  if not most or tonumber(most) < tonumber(value) then redis.call('HSET', KEYS[2], name, value) end
end
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[1])
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
if redis.call('EXISTS', KEYS[1] .. ':' .. oldest) == 0 then redis.call('ZREM', KEYS[1], oldest) end
for index = 1, 2 do
  if redis.call('PTTL', KEYS[index]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[index], ARGV[2]) end
end
`);

/** KEYS: starts. ARGV: from. Replies: names and values of the sums, the same of the maxima. */
export const counts = script(`
local sums, maxima = {}, {}
for _, start in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], '+inf')) do
  local fields = redis.call('HGETALL', KEYS[1] .. ':' .. start)
  if #fields == 0 then redis.call('ZREM', KEYS[1], start) end
  for index = 1, #fields, 2 do
    local name, value = string.sub(fields[index], 2), tonumber(fields[index + 1])
    if string.byte(fields[index]) == string.byte('s') then
      sums[name] = (sums[name] or 0) + value
    else
      maxima[name] = math.max(maxima[name] or value, value)
    end
  end
end
local reply = { {}, {} }
for place, numbers in ipairs({ sums, maxima }) do
  for name, value in pairs(numbers) do
    table.insert(reply[place], name)
    table.insert(reply[place], string.format('%.17g', value))
  end
end
return reply
`);

/** KEYS: exp. Replies: how many entries have not expired. */
export const size = script(`
local time = redis.call('TIME')
return redis.call('ZCOUNT', KEYS[1], time[1] * 1000 + time[2] / 1000, '+inf')
`);

function script(...parts: string[]): Script {
  const lua = parts.join('');
  let sha1: string | undefined;
  return {
    lua,
    // At first use: node:crypto takes about 4 ms to load.
    get sha1() {
      sha1 ??= process.getBuiltinModule('node:crypto').createHash('sha1').update(lua).digest('hex');
      return sha1;
    },
  };
}
