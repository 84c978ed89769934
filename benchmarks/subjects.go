package benchmarks

// Subjects returns what is compared: routeauth, the other libraries and the
// hand-written minimum, all with the same request but for its URL.
func Subjects() []Subject {
	static := API + StaticPath
	subjects := []Subject{MinimumAPIKey(static), MinimumBearer(static)}
	for _, path := range Paths {
		subjects = append(subjects, APIKeyAuth(API, 10, path), JWTAuth(API, 10, path))
	}
	subjects = append(subjects, OutOfScope(), Public(), WithoutHooks(), WithDecided())
	return append(subjects, Peers(static)...)
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
