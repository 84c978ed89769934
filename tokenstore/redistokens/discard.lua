-- KEYS: token. ARGV: the bytes that were read and are to go.
-- Returns 1 if they were still there.
if redis.pcall("get", KEYS[1]) ~= ARGV[1] then
	return 0
end
return redis.call("del", KEYS[1])
