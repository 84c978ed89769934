package benchmarks

// Subjects returns what is compared: routeauth, the other libraries and the
// hand-written minimum, all with the same request but for its URL.
func Subjects() []Subject {
	static := API + StaticPath
	return append([]Subject{
		MinimumAPIKey(static),
		MinimumBearer(static),
		APIKeyAuth(API, 10, StaticPath),
		JWTAuth(API, 10, StaticPath),
		APIKeyAuth(API, 10, WildcardPath),
		JWTAuth(API, 10, WildcardPath),
		APIKeyAuth(API, 10, UnroutedPath),
		OutOfScope(),
	}, Peers(static)...)
}

// ManyRoutes returns routeauth with few routes and with many. They are apart
// from [Subjects], because a large heap makes every allocation dearer.
func ManyRoutes() []Subject {
	return []Subject{
		APIKeyAuth(API, 10, StaticPath),
		APIKeyAuth(API, 10_000, StaticPath),
		APIKeyAuth(API, 10, WildcardPath),
		APIKeyAuth(API, 10_000, WildcardPath),
	}
}
