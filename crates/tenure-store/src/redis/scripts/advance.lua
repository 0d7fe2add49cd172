-- KEYS: the position of the shard, the session. ARGV: 1 what the shard must have applied, 2 the
-- expected head, 3 the new head, 4 the new ring, 5 seconds to live.
-- Answers 1 written, 0 lost, -1 behind the log.
if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[1]) then
  return -1
end
local row = redis.call('HMGET', KEYS[2], 'h', 'e')
if not row[1] or row[2] or string.sub(row[1], 1, 8) ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[2], 'h', ARGV[3], 'r', ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[5])
return 1
