-- A record that expires. KEYS: the record, the ends of its bucket, and where it has a subject, the
-- records of that subject in the bucket. ARGV: 1 the record, 2 when it may go, in seconds.
-- Answers 1 added, 0 there is one.
--
-- The key outlives its end by a day, and the sweep removes it before: a clock that is wrong by less
-- than that removes nothing too early.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
local now = tonumber(redis.call('TIME')[1])
local ttl = math.min(math.max(tonumber(ARGV[2]) - now, 0) + 86400, 3153600000)
redis.call('SET', KEYS[1], ARGV[1], 'EX', string.format('%d', ttl))
redis.call('ZADD', KEYS[2], ARGV[2], KEYS[1])
if KEYS[3] then
  redis.call('SADD', KEYS[3], KEYS[1])
  if redis.call('TTL', KEYS[3]) < ttl then
    redis.call('EXPIRE', KEYS[3], string.format('%d', ttl))
  end
end
return 1
