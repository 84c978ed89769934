-- KEYS: token, lock, a key that never exists. ARGV: none.
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
if type(lock) == "table" or lock and redis.call("pttl", KEYS[2]) < 0 then
	redis.call("del", KEYS[2]) -- of another type, or without an end: nobody holds it
	lock = false
end
return {token, left, lock}
