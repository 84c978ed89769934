-- KEYS: token, lock, a key that never exists. ARGV: how many milliseconds a lock lives at most.
-- Returns the token, how many milliseconds it still lives, and the lock's value.
-- The first command changes nothing, but a replica refuses it and so the script:
-- it may still have a token that was rejected.
redis.call("del", KEYS[3])
local token = redis.pcall("get", KEYS[1])
local left = 0
if type(token) == "string" then
	left = redis.call("pttl", KEYS[1])
else
	token = false -- none, or a value of another type
end
local lock = redis.pcall("get", KEYS[2])
local isGarbage = type(lock) == "table" -- of another type
if type(lock) == "string" then
	local lives = redis.call("pttl", KEYS[2])
	-- Nobody makes a lock without an end, or one that lives so long. Where Redis's
	-- clock was set back, the locks of that time do, too.
	isGarbage = lives < 0 or lives > tonumber(ARGV[1])
end
if isGarbage then
	redis.call("del", KEYS[2])
	lock = false
end
return {token, left, lock}
