-- Deletes a record as it was read. KEYS: the record, the ends of its bucket, and where it has a
-- subject, the records of that subject in the bucket. ARGV: 1 as read.
-- Answers 1 deleted, 0 changed or gone meanwhile.
local record = redis.call('GET', KEYS[1])
if record and record ~= ARGV[1] then
  return 0
end
redis.call('ZREM', KEYS[2], KEYS[1])
if KEYS[3] then
  redis.call('SREM', KEYS[3], KEYS[1])
end
return redis.call('DEL', KEYS[1])
