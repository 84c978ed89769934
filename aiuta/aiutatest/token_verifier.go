package aiutatest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"example.com/routeauth"
	"github.com/golang-jwt/jwt/v5"
)

// tokenVerifier judges JWTs.
type tokenVerifier struct {
	parser *jwt.Parser
	key    jwt.Keyfunc
}

func newTokenVerifier(issuer string, secret routeauth.Secret) tokenVerifier {
	return tokenVerifier{
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
			jwt.WithIssuer(issuer),
			jwt.WithExpirationRequired(),
		),
		key: func(*jwt.Token) (any, error) { return []byte(secret), nil },
	}
}

// fault returns what is wrong with a token as the credential of req, or "". It
// never quotes the token.
func (v tokenVerifier) fault(token string, req *http.Request) string {
	claims := jwt.MapClaims{} // its names are case-sensitive, unlike a struct's
	if _, err := v.parser.ParseWithClaims(token, claims, v.key); err != nil {
		return describe(err, claims)
	}
	return v.bindingFault(token, claims, req)
}

// describe says in fixed words what the parser found, whose own quote the
// token's header.
func describe(err error, claims jwt.MapClaims) string {
	issuer, _ := claims.GetIssuer()
	expiry, _ := claims.GetExpirationTime()
	isMissing := errors.Is(err, jwt.ErrTokenRequiredClaimMissing)
	var faults []string
	for _, kind := range []struct {
		found bool
		text  string
	}{
		{errors.Is(err, jwt.ErrTokenMalformed), "it is not a JWT"},
		{errors.Is(err, jwt.ErrTokenUnverifiable), "its alg is not HS256"},
		{errors.Is(err, jwt.ErrTokenSignatureInvalid), "it is not signed with HS256 and this server's secret"},
		{errors.Is(err, jwt.ErrTokenExpired), "it has expired"},
		{errors.Is(err, jwt.ErrTokenNotValidYet), "its nbf is in the future"},
		{errors.Is(err, jwt.ErrTokenInvalidIssuer), "its iss is not this server's"},
		{isMissing && expiry == nil, "it has no exp"},
		{isMissing && issuer == "", "it has no iss"},
		{errors.Is(err, jwt.ErrInvalidType), "a registered claim is of the wrong type"},
	} {
		if kind.found {
			faults = append(faults, kind.text)
		}
	}
	return "the token is not valid: " + strings.Join(faults, ", and ")
}

// registeredClaims are those of RFC 7519, section 4.1. Every other claim is a
// param that the token is bound to.
var registeredClaims = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}

// bindingFault returns why a token is not for this request, or "".
func (v tokenVerifier) bindingFault(token string, claims jwt.MapClaims, req *http.Request) string {
	names := slices.Sorted(maps.Keys(claims))
	names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(registeredClaims, name) })
	if len(names) == 0 {
		return ""
	}
	payload, _ := v.parser.DecodeSegment(strings.Split(token, ".")[1]) // it was parsed before
	bound, err := paramsOf(payload, names)
	if err != nil {
		return "the token has a claim twice"
	}
	body, err := peekBody(req)
	if err != nil {
		return "the token is bound to params, and the body cannot be read for them"
	}
	sent, err := paramsOf(body, names)
	if err != nil {
		return "the token is bound to params, and the body is no JSON object that has each of them once"
	}
	for _, name := range names {
		want, isBound := bound[name] // null binds nothing
		value, isSent := sent[name]
		switch {
		case isBound && !isSent:
			return fmt.Sprintf("the token is bound to %q, which the body does not have", name)
		case isBound && value != want:
			return fmt.Sprintf("the token is bound to another value of %q than the body has", name)
		}
	}
	return ""
}

// paramsOf returns the params that the fields of a JSON object are. Nothing at
// all is an object without fields.
func paramsOf(object []byte, names []string) (routeauth.Params, error) {
	req, err := http.NewRequest(http.MethodPost, "/", bytes.NewReader(object))
	if err != nil {
		return nil, err
	}
	return routeauth.BodyParams(names...)(req)
}

// peekBody returns a request's body as far as it may be JSON, and leaves the
// whole of it to be read again.
func peekBody(req *http.Request) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(req.Body, maxJSON+1))
	req.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(data), req.Body), req.Body}
	return data, err
}
