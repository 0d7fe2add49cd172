-- KEYS[2]: the session. ARGV: 3 seconds to live, 4 its end, 5 its subject's cut or ''.
-- Answers the position, and the end that stands: the first one in the order of the log.
local row = redis.call('HMGET', KEYS[2], 'h', 'e')
if new and row[1] and not row[2] then
  row[2] = ARGV[4]
  redis.call('HSET', KEYS[2], 'e', ARGV[4])
  if ARGV[5] ~= '' then
    redis.call('HSET', KEYS[2], 'c', ARGV[5])
  end
  if redis.call('TTL', KEYS[2]) > tonumber(ARGV[3]) then
    redis.call('EXPIRE', KEYS[2], ARGV[3])
  end
end
return {at, row[2]}
