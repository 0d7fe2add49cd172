-- Replaces a record that nobody has changed since it was read. KEYS: the record, and where it has
-- got a subject by this, the records of that subject in the bucket. ARGV: 1 as read, 2 as wanted.
-- Answers 1 replaced, 0 changed or gone meanwhile.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
local ttl = redis.call('TTL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
if KEYS[2] then
  redis.call('SADD', KEYS[2], KEYS[1])
  if redis.call('TTL', KEYS[2]) < ttl then
    redis.call('EXPIRE', KEYS[2], ttl)
  end
end
return 1
