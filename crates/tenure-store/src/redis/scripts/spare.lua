-- KEYS[2]: the session that goes on. ARGV: 3 its subject's cut, 4 the moment of that.
if new and redis.call('EXISTS', KEYS[2]) == 1 then
  local cut = redis.call('HGET', KEYS[2], 'c')
  if not cut or tonumber(ARGV[4]) >= tonumber(string.match(cut, '^%d+')) then
    redis.call('HSET', KEYS[2], 'c', ARGV[3])
  end
  if tonumber(ARGV[4]) > tonumber(redis.call('HGET', KEYS[2], 's') or 0) then
    redis.call('HSET', KEYS[2], 's', ARGV[4])
  end
end
return {at}
