-- Writes and reads back with every command that the other scripts use, so that a right that is
-- missing is found here. KEYS: four that nothing else uses. ARGV: 1 a marker.
local seconds = 60
redis.call('TIME')
redis.call('SET', KEYS[1], ARGV[1], 'EX', seconds)
redis.call('EXISTS', KEYS[1])
redis.call('TTL', KEYS[1])
redis.call('HSET', KEYS[2], 'marker', redis.call('GET', KEYS[1]))
redis.call('HSETNX', KEYS[2], 'other', '')
redis.call('HEXISTS', KEYS[2], 'other')
redis.call('EXPIRE', KEYS[2], seconds)
redis.call('ZADD', KEYS[3], 0, redis.call('HMGET', KEYS[2], 'marker')[1])
redis.call('SADD', KEYS[4], redis.call('ZRANGEBYSCORE', KEYS[3], 0, 0)[1])
local marker = redis.call('SMEMBERS', KEYS[4])[1]
redis.call('SREM', KEYS[4], marker)
redis.call('ZREM', KEYS[3], marker)
marker = redis.call('HGET', KEYS[2], 'marker')
redis.call('DEL', KEYS[1], KEYS[2])
return marker
