package issuer

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"example.com/routeauth"
	"github.com/golang-jwt/jwt/v5"
)

// defaultTTL leaves time for one request, which is what a token is for.
const defaultTTL = time.Minute

// Issuer is a [routeauth.TokenSource] that signs each token itself, with
// HMAC-SHA256 ("HS256", RFC 7518, section 3.2).
//
// A token's claims are the params, as strings under their own names, and three
// registered ones (RFC 7519, section 4.1): iss, iat, which is now, and exp, at
// which the token's life ends. Times are whole seconds, cut off and never
// rounded up, so that no token lives longer than its TTL.
//
// The secret is held where reflection does not reach it: no formatting,
// marshalling or logging of an Issuer shows it.
//
// An Issuer is safe for concurrent use. It keeps no token and asks nobody, so
// its tokens need no cache. The zero value issues nothing: its Token is an
// error.
type Issuer struct {
	iss  string
	ttl  time.Duration
	sign func(jwt.MapClaims) (string, error) // a closure over the secret
}

// Option changes what an [Issuer] does.
type Option func(*config) error

type config struct{ ttl time.Duration }

// WithTTL sets how long a token lives. The default is 60 seconds; under one
// second is an error of the constructor.
func WithTTL(d time.Duration) Option {
	return func(c *config) error {
		c.ttl = d
		if d < time.Second {
			return fmt.Errorf("issuer: TTL is %v: it must be one second or more", d)
		}
		return nil
	}
}

// New returns an Issuer that names itself iss and signs with secret. The API's
// owner makes both.
//
// Any secret is taken that is not empty. One that is shorter than 32 bytes is
// weaker than the signature (RFC 7518, section 3.2): whoever has one token can
// search for the secret at leisure, so ask the API's owner for a longer one.
//
// The error joins everything that is wrong: an iss that is empty or not UTF-8,
// a secret that is empty or the literal REDACTED, an option that is nil or has
// a value out of its range. It never holds the secret.
func New(iss string, secret routeauth.Secret, opts ...Option) (*Issuer, error) {
	config := config{ttl: defaultTTL}
	errs := append(apply(&config, opts), checkIss(iss), checkSecret(secret))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Issuer{iss, config.ttl, func(claims jwt.MapClaims) (string, error) {
		return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
	}}, nil
}

func checkIss(iss string) error {
	switch {
	case iss == "":
		return errors.New("issuer: iss is empty")
	case !utf8.ValidString(iss):
		return errors.New("issuer: iss is not UTF-8, which a claim must be")
	}
	return nil
}

func checkSecret(secret routeauth.Secret) error {
	switch string(secret) {
	case "":
		return errors.New("issuer: secret is empty")
	case secret.String():
		return fmt.Errorf("issuer: secret is the placeholder %v, not the value that it stood for: "+
			"a configuration was marshalled and read back", secret)
	}
	return nil
}

// Token returns a token that is bound to params and begins to live now.
//
// It is an error if a param is named like a registered claim (iss, sub, aud,
// exp, nbf, iat, jti; RFC 7519, section 4.1), in whatever case, or is not
// UTF-8, and a [routeauth.Permanent] one. Signing takes microseconds, so ctx is
// not looked at.
func (i *Issuer) Token(_ context.Context, params routeauth.Params) (routeauth.Token, error) {
	if i == nil || i.sign == nil {
		return routeauth.Token{}, permanent("the issuer was not made by New")
	}
	if err := checkParams(params); err != nil {
		return routeauth.Token{}, err
	}
	claims := make(jwt.MapClaims, len(params)+3)
	for name, value := range params {
		claims[name] = value
	}
	now := time.Now()
	claims["iss"] = i.iss
	claims["iat"] = now.Unix()
	claims["exp"] = now.Add(i.ttl).Unix()
	token, err := i.sign(claims)
	return routeauth.Token{Value: routeauth.Secret(token)}, err
}
