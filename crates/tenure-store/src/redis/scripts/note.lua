-- KEYS and answers as in advance.lua. ARGV: 1 what the shard must have applied, 2 the expected head,
-- 3 the hash, 4 the length of a head that has no room.
if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[1]) then
  return -1
end
local row = redis.call('HMGET', KEYS[2], 'h', 'e')
local head = row[1]
if not head or row[2] or string.sub(head, 1, 8) ~= ARGV[2] or #head >= tonumber(ARGV[4]) then
  return 0
end
for use = 21, #head, 4 do
  if string.sub(head, use, use + 3) == ARGV[3] then
    return 0
  end
end
redis.call('HSET', KEYS[2], 'h', head .. ARGV[3])
return 1
