-- The log has been put back behind what this shard has applied: its positions will be given again.
-- KEYS[1]: the position. ARGV: 1 as read, 2 the end of the log.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2])
end
return 1
