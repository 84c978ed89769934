package benchmarks

import (
	"context"
	"sync"
	"time"

	"example.com/routeauth"
	"github.com/golang-jwt/jwt/v5"
)

// tokenLife is longer than any run.
const tokenLife = 24 * time.Hour

// Token returns the JWT that every subject sends. It has the usual claims and
// outlives the program.
var Token = sync.OnceValue(func() string {
	now := time.Now()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss":     "benchmarks",
		"sub":     "6f1f2a52-1c5b-4f0e-9a36-5f7d8a1f0c11",
		"iat":     now.Unix(),
		"exp":     now.Add(tokenLife).Unix(),
		"user_id": "user-0001",
	}).SignedString([]byte("a secret of the benchmarks, 32 bytes"))
	if err != nil {
		panic(err) // HMAC signs anything
	}
	return token
})

// source hands out the token at once, whatever the params.
var source routeauth.TokenSourceFunc = func(context.Context, routeauth.Params) (routeauth.Token, error) {
	return routeauth.Token{Value: routeauth.Secret(Token())}, nil
}
