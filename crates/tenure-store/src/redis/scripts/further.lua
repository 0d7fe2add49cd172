-- The head of another store's record of a session, where it is further than the one here: of a later
-- generation, or with more uses. KEYS: the session. ARGV: 1 head, 2 ring, 3 seconds to live.
-- Answers 1 written, 0 it is not further, or there is no such session.
local here = redis.call('HGET', KEYS[1], 'h')
if not here then
  return 0
end
local mine, other = string.sub(here, 9, 12), string.sub(ARGV[1], 9, 12)
if other < mine or (other == mine and #ARGV[1] <= #here) then
  return 0
end
redis.call('HSET', KEYS[1], 'h', ARGV[1], 'r', ARGV[2])
if redis.call('HEXISTS', KEYS[1], 'e') == 0 then
  redis.call('EXPIRE', KEYS[1], ARGV[3])
end
return 1
