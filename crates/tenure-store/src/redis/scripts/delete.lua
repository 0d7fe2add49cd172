-- KEYS[2] and on: sessions. Without any, an entry that changes nothing here.
if new then
  for key = 2, #KEYS do
    redis.call('DEL', KEYS[key])
  end
end
return {at}
