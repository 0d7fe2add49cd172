-- KEYS[2]: the session. ARGV: 3 seconds to live, 4 where it began, then names and values of fields.
-- Answers the position, and where the session that is there began.
if new and redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('HSET', KEYS[2], 'p', ARGV[4], unpack(ARGV, 5))
  redis.call('EXPIRE', KEYS[2], ARGV[3])
end
return {at, redis.call('HGET', KEYS[2], 'p')}
