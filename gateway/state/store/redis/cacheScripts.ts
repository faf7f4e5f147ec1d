// What must happen at once in Redis, as scripts.
// The danger it guards against: a purge that comes between the look and the deed of another replica.

/**
 * KEYS: the hash of heads, the log of purges, then the versions of its tags. ARGV: field, head, how long it is kept, when it was asked
 * for, how long versions are kept, the beginning of the keys of bodies, how many heads there may be, the tags.
 * A head says first: when it came, the id of its body, in how many chunks that lies.
 */
export const putScript = `
local since = tonumber(ARGV[4])
-- The last purge that its replica had heard of is in the log still, or others may be missing there.
local heard = ARGV[4] .. '-0'
if #redis.call('XRANGE', KEYS[2], heard, heard) == 0 then return 0 end
local unknown, nth = {}, 2
for tag in string.gmatch(ARGV[8], '%S+') do
  nth = nth + 1
  local version = redis.call('GET', KEYS[nth])
  if not version then unknown[#unknown + 1] = ' ' .. tag .. ' '
  elseif tonumber(version) > since then return 0 end
end
-- A version may have been lost since then: the log tells.
if #unknown > 0 then
  local purges = redis.call('XRANGE', KEYS[2], heard, '+', 'COUNT', 1001)
  if #purges > 1000 then return 0 end
  for i = 2, #purges do
    for _, tag in ipairs(unknown) do
      if string.find(' ' .. purges[i][2][2] .. ' ', tag, 1, true) then return 0 end
    end
  end
end
-- Of a tag without a version nobody knows whether it was purged: what bears it is void. So each has one.
for i = 3, #KEYS do
  redis.call('SET', KEYS[i], ARGV[4], 'NX')
  redis.call('PEXPIRE', KEYS[i], ARGV[5])
end
local function keepBody(head, forMs)
  local id, chunks = string.match(head, '^%d+ (%S+) (%d+) ')
  for n = 0, tonumber(chunks) - 1 do redis.call('PEXPIRE', ARGV[6] .. id .. ':' .. n, forMs) end
end
-- Whoever is reading it may still do so.
local function leave(head) keepBody(head, 5000) end
local before = redis.call('HGET', KEYS[1], ARGV[1])
if before then leave(before) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
keepBody(ARGV[2], ARGV[3] + 60000)
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[7]) then
  local all, oldest, at = redis.call('HGETALL', KEYS[1]), nil, math.huge
  for i = 1, #all, 2 do
    local came = tonumber(string.match(all[i + 1], '^%d+'))
    if came < at and all[i] ~= ARGV[1] then oldest, at = i, came end
  end
  leave(all[oldest + 1])
  redis.call('HDEL', KEYS[1], all[oldest])
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 1
`

/**
 * KEYS: the log, then the versions of tags. ARGV: the tags, how long versions and log are kept, how long the log may be, the channel.
 * A moment is greater than all before it, also where they were lost: it is at least the server's time in microseconds.
 * @returns the log's last entry before this one, and this one
 */
export const purgeScript = `
local time = redis.call('TIME')
local moment = time[1] * 1000000 + time[2]
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local before = last and last[1] or ''
if last then moment = math.max(moment, tonumber(string.match(before, '^%d+')) + 1) end
local version = string.format('%.0f', moment)
for i = 2, #KEYS do redis.call('SET', KEYS[i], version, 'PX', ARGV[2]) end
local entry = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], version .. '-0', 'tags', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
-- Without the right to push, those who look each second learn of it.
redis.pcall('PUBLISH', ARGV[4], entry)
return {before, entry}
`

/**
 * KEYS: the log. ARGV: the last entry that is known, or nothing; how many are read; how long the log is kept.
 * @returns the entries from the known one on, that one too: where it is missing, so may be others. Without one, the last
 */
export const readLogScript = `
if redis.call('EXISTS', KEYS[1]) == 0 then
  local time = redis.call('TIME')
  redis.call('XADD', KEYS[1], string.format('%.0f', time[1] * 1000000 + time[2]) .. '-0', 'tags', '')
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if ARGV[1] == '' then return redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1) end
return redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])
`
