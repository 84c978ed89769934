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
// registered ones (RFC 7519, section 4.1): iss, iat, which is now or, with
// [WithBackdate], a little earlier, and exp, at which the token's life ends.
// Times are whole seconds, cut off and never rounded up, so that no token lives
// longer than its TTL.
//
// Two tokens of one second with the same params are therefore the same text. A
// token that the API revoked cannot be replaced within that second: the new one
// is the revoked one. From the next second on it is another.
//
// The secret is held where reflection does not reach it: no formatting,
// marshalling or logging of an Issuer shows it.
//
// An Issuer is safe for concurrent use. It keeps no token and asks nobody, so
// its tokens need no cache. The zero value issues nothing: its Token is an
// error.
type Issuer struct {
	config
	iss  string
	sign func(jwt.MapClaims) (string, error) // a closure over the secret
}

// Option changes what an [Issuer] does.
type Option func(*config) error

type config struct{ ttl, backdate time.Duration }

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

// WithBackdate sets the claim iat to this much before now. A verifier whose clock
// is behind refuses a token that seems to be issued in the future, and accepts
// it if its clock is behind by no more than this. It does not change exp.
//
// A few seconds are enough where clocks are synchronized. A client whose own
// clock is evidently wrong takes exp − iat for the token's life, which this makes
// longer: see [routeauth.TokenCache]. The default is 0; less is an error of the
// constructor.
func WithBackdate(d time.Duration) Option {
	return func(c *config) error {
		c.backdate = d
		if d < 0 {
			return fmt.Errorf("issuer: backdate is %v: it must be 0 or more", d)
		}
		return nil
	}
}

// New returns an Issuer that names itself iss and signs with secret. The API's
// owner makes both.
//
// Any secret is taken that is not empty. One that is shorter than 32 bytes is
// weaker than the signature (RFC 7518, section 3.2): whoever has one token can
// search for the secret at leisure, so ask the API's owner for a longer one. A
// program that runs in a FIPS 140 mode which refuses the secret (crypto/hmac
// does so under GODEBUG=fips140=only with one of less than 14 bytes) gets an
// error here, and no panic later.
//
// The error joins everything that is wrong: an iss that is empty or not UTF-8,
// a secret that is empty, the literal REDACTED or refused by the FIPS 140 mode,
// an option that is nil or has a value out of its range. It never holds the
// secret.
func New(iss string, secret routeauth.Secret, opts ...Option) (*Issuer, error) {
	config := config{ttl: defaultTTL}
	sign := func(claims jwt.MapClaims) (string, error) {
		return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
	}
	errs := append(apply(&config, opts), checkIss(iss), checkSecret(secret, sign))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Issuer{config, iss, sign}, nil
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

func checkSecret(secret routeauth.Secret, sign func(jwt.MapClaims) (string, error)) (err error) {
	switch string(secret) {
	case "":
		return errors.New("issuer: secret is empty")
	case secret.String():
		return fmt.Errorf("issuer: secret is the placeholder %v, not the value that it stood for: "+
			"a configuration was marshalled and read back", secret)
	}
	// Which secrets a FIPS 140 mode refuses is best known by trying: crypto/hmac
	// panics, and has no function that tells in advance.
	defer func() {
		if refused := recover(); refused != nil {
			err = fmt.Errorf("issuer: the FIPS 140 mode of this program refuses the secret (%v): "+
				"ask the API's owner for a longer one", refused)
		}
	}()
	if _, err := sign(nil); err != nil {
		return fmt.Errorf("issuer: cannot sign: %w", err)
	}
	return nil
}

// Token returns a token that is bound to params and begins to live now.
//
// It is a [routeauth.Permanent] error if a param is named like a registered
// claim (iss, sub, aud, exp, nbf, iat, jti; RFC 7519, section 4.1), if the names
// of two are equal, or if a name or value is not UTF-8. Case makes no
// difference to names, as Unicode folds it: there are verifiers that read
// "SKU_ID" for "sku_id". Signing takes microseconds, so ctx is not looked at.
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
	claims["iat"] = now.Add(-i.backdate).Unix()
	claims["exp"] = now.Add(i.ttl).Unix()
	token, err := i.sign(claims)
	return routeauth.Token{Value: routeauth.Secret(token)}, err
}
