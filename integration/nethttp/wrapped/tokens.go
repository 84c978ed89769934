package wrapped

import (
	"context"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"example.com/routeauth"
)

// source returns the same JWT each time. cache has it from the start: many of
// net/http's tests run in a bubble of testing/synctest each, and none of them
// can wait for a fetch that began in another.
var (
	source = must(routeauth.NewStaticTokenSource(routeauth.Secret(must(newJWTOfTheCentury()))))
	cache  = must(routeauth.NewTokenCache(source))
	_      = must(cache.Token(context.Background(), nil))
)

// newJWTOfTheCentury returns a JWT that is good today and on the first of January
// 2000, when the clock of a bubble starts.
func newJWTOfTheCentury() (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		IssuedAt:  jwt.NewNumericDate(time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)),
		ExpiresAt: jwt.NewNumericDate(time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)),
	})
	return token.SignedString([]byte("a secret that nobody verifies with"))
}

// must panics where the package itself is wrong.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
