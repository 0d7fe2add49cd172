-- Begins every script that carries out an entry of the session log.
-- KEYS[1]: what this shard has applied. ARGV[1], ARGV[2]: where the entry goes on from and to.
-- Whatever follows runs once, in the order of the log; run again, it only answers, with the position
-- that stands: one past `last` may have been reached without this entry.
local at = tonumber(redis.call('GET', KEYS[1]) or 0)
local first, last = tonumber(ARGV[1]), tonumber(ARGV[2])
if at < last and at ~= first then
  return {at}
end
local new = at == first
if new then
  redis.call('SET', KEYS[1], ARGV[2])
  at = last
end
