/** The parts of the Lua scripts in scripts.ts, in the order in which a script puts them together. */

/** The first byte of an entry: the version of its format. What begins differently is not ours, and a miss. */
export const entryFormat = 0xe1;

/** An entry begins with a byte for the format, eight for the position (a double), two for the number of tags. */
export const headBytes = 11;

/** KEYS of all that reads. */
export const readKeys = `
local log, lru = KEYS[1], KEYS[2]
`;

/** KEYS of all that writes. */
export const writeKeys = `
local log, lru, exp = KEYS[1], KEYS[2], KEYS[3]
`;

/** The position in ARGV up to which the caller knows the log. */
export const sinceArgument = `
local since = tonumber(ARGV[1])
`;

/** Where nobody asks what was invalidated. */
export const noSince = `
local since = nil
`;

/** The time in microseconds. */
export const clock = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
`;

/**
 * Where the log stands; begins it where there is none. It also begins anew when somebody has seen a later position
 * than it has: then it lost its latest invalidations, as by a failover to a replica that lagged behind or a
 * restart from a snapshot, and no entry can be trusted.
 */
export const begin = `
local state = redis.call('ZMSCORE', log, '#position', '#floor')
local position, floor = tonumber(state[1]), tonumber(state[2])
if not position or not floor or (since and since > position) then
  position = math.max(now, (position or 0) + 1, (since or 0) + 1)
  floor = position
  since = nil
  redis.call('UNLINK', log)
  redis.call('ZADD', log, position, '#position', floor, '#floor')
end
`;

/**
 * Adds to the reply what was invalidated since, as labels and their scores, the label '#position' among them. The
 * second place of the reply tells how many elements that are; -1: lost.
 */
export const addChanges = `
if not since or since < floor then
  reply[2] = -1
elseif since < position then
  local most = tonumber(ARGV[2])
  local found = redis.call('ZRANGEBYSCORE', log, '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, most + 2)
  reply[2] = #found <= 2 * (most + 1) and #found or -1
  for index = 1, reply[2] do reply[#reply + 1] = found[index] end
end
`;

/** Whether nothing was invalidated since a position: neither the label, if one is given, nor the tags of an entry. */
export const areUnchanged = `
local function areUnchanged(label, bytes, tags, place, at)
  repeat
    -- Lua cannot return very many values at once.
    local count = math.min(tags, 100)
    local labels = { struct.unpack('>' .. string.rep('Hc0', count), bytes, place) }
    place = table.remove(labels)
    labels[#labels + 1] = label
    if #labels > 0 then
      for _, score in ipairs(redis.call('ZMSCORE', log, unpack(labels))) do
        if score and tonumber(score) > at then return false end
      end
    end
    tags = tags - count
    label = nil
  until tags == 0
  return true
end
`;

/**
 * Writes what is not worth an error: a Redis that is full, or has lost its replicas, can still be read. Unless it
 * has become a replica itself: then its client must find the new primary, and learns so by the error.
 */
export const attempt = `
local demoted
local function attempt(command, name, ...)
  local done = redis.pcall(command, name == 'exp' and string.sub(lru, 1, -4) .. 'exp' or name, ...)
  if type(done) ~= 'table' then return done end
  if string.find(done.err, 'READONLY', 1, true) then demoted = done end
end
`;

/** Marks an entry as used, if it is (still) there. */
export const use = `
local function use(key)
  if redis.pcall('ZADD', lru, 'XX', 'CH', now, key) == 1 then return end
  local ttl = redis.call('PTTL', key)
  -- Unless this script has marked it before, its record was lost.
  if ttl > 0 and attempt('ZADD', lru, 'NX', now, key) == 1 then attempt('ZADD', 'exp', now / 1000 + ttl, key) end
end
`;

/**
 * Adds entries to the reply, false for those that are not there or not valid, and marks them as used.
 *
 * Many a hit comes this way: that is why it looks only at what it must.
 *
 * @param from the first of them in KEYS; they go on to the end
 */
export const addEntries = (from: number) => `
for index = ${from}, #KEYS do
  local key = KEYS[index]
  local bytes = redis.pcall('GET', key)
  local found = false
  if not bytes then
    if attempt('ZREM', lru, key) == 1 then attempt('ZREM', 'exp', key) end
  elseif type(bytes) == 'string' and #bytes >= ${headBytes} then
    local format, at, tags, place = struct.unpack('>BdH', bytes)
    local isEntry, isValid = format == ${entryFormat}, at >= floor and at <= position
    if isEntry and isValid and tags > 0 and at < position then
      isEntry, isValid = pcall(areUnchanged, nil, bytes, tags, place, at)
    end
    if isEntry and isValid then
      found = bytes
      use(key)
    elseif isEntry then
      attempt('UNLINK', key)
      attempt('ZREM', lru, key)
      attempt('ZREM', 'exp', key)
    end
  end
  reply[#reply + 1] = found
end
if demoted then return demoted end
`;

/** Ends a lease, if it is the one that the token stands for. */
export const endLease = `
local function endLease(key, token)
  if redis.call('GET', key) == token then redis.call('UNLINK', key) end
end
`;

/**
 * Keeps entries, and no more than there may be. Where one of the sorted sets was lost, the
 * other tells who is missing: by when they expire where it is not known when they were used, and the other way round.
 * What is so found stands below all times of use, or above all times of expiry.
 */
export const keep = `
local function forget(keys)
  for first = 1, #keys, 500 do
    local last = math.min(first + 499, #keys)
    redis.call('UNLINK', unpack(keys, first, last))
    redis.call('ZREM', lru, unpack(keys, first, last))
    redis.call('ZREM', exp, unpack(keys, first, last))
  end
end
local function keep(key, bytes, ttl)
  redis.call('SET', key, bytes, 'PX', ttl)
  redis.call('ZADD', lru, now, key)
  redis.call('ZADD', exp, now / 1000 + ttl, key)
end
local function evict(maxEntries, most)
  local entries = redis.call('ZCARD', lru)
  if entries ~= redis.call('ZCARD', exp) then
    redis.call('ZUNIONSTORE', lru, 2, lru, exp, 'WEIGHTS', 1, 1e-15, 'AGGREGATE', 'MAX')
    redis.call('ZUNIONSTORE', exp, 2, exp, lru, 'WEIGHTS', 1, 1e15, 'AGGREGATE', 'MIN')
    entries = redis.call('ZCARD', lru)
  end
  local over = math.min(entries - maxEntries, most)
  if over <= 0 then return end
  local expired = redis.call('ZRANGEBYSCORE', exp, '-inf', now / 1000, 'LIMIT', 0, over)
  forget(expired)
  over = over - #expired
  if over > 0 then forget(redis.call('ZRANGE', lru, 0, over - 1)) end
end
`;
