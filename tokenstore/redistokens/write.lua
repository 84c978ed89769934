-- KEYS: token, lock. ARGV: the lock's value, the token, how many milliseconds it lived when the lock had ARGV[4] left.
-- Returns 1 if the token was written. Nothing is done unless the lock is still
-- the writer's. The lock's end tells how much time has passed, on one clock.
if redis.pcall("get", KEYS[2]) ~= ARGV[1] then
	return 0
end
local passed = math.max(0, ARGV[4] - redis.call("pttl", KEYS[2]))
local left = math.floor(ARGV[3] - passed)
local written = 0
if left > 0 then
	written = redis.pcall("set", KEYS[1], ARGV[2], "PX", string.format("%.0f", left))
end
redis.call("del", KEYS[2])
if type(written) == "table" and written.err then
	return written
end
return left > 0 and 1 or 0
