package issuer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/issuer"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rule 30.
func TestClaimsAreTheParamsPlusIssIatExp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		params := routeauth.Params{"uploaded_image_id": "17", "sku_ids": "a,b", "note": "<ü> \u2028 \"q\"", "": ""}
		token, err := text(newIssuer(t).Token(t.Context(), params))
		require.NoError(t, err)

		now := time.Now().Unix()
		assert.Equal(t, jwt.MapClaims{
			"uploaded_image_id": "17",
			"sku_ids":           "a,b",
			"note":              "<ü> \u2028 \"q\"",
			"":                  "",
			"iss":               iss,
			"iat":               float64(now),
			"exp":               float64(now + 60),
		}, claimsOf(t, token))
		assert.Len(t, params, 4, "the caller's params are left alone")
	})
}

// Rule 30.
func TestATokenWithoutParamsHasOnlyTheIssuersClaims(t *testing.T) {
	token, err := text(newIssuer(t).Token(t.Context(), nil))
	require.NoError(t, err)
	assert.Len(t, claimsOf(t, token), 3)
}

// Rule 30.
func TestTokensAreSignedWithHS256(t *testing.T) {
	token, err := text(newIssuer(t).Token(t.Context(), nil))
	require.NoError(t, err)

	parsed, _, err := jwt.NewParser().ParseUnverified(token, jwt.MapClaims{})
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"alg": "HS256", "typ": "JWT"}, parsed.Header)

	_, err = jwt.Parse(token, func(*jwt.Token) (any, error) { return []byte(secret + "!"), nil })
	assert.ErrorIs(t, err, jwt.ErrTokenSignatureInvalid)
}

// Rule 30: with the clock in the middle of a second, so that rounding shows.
func TestATokenLivesForItsTTLAndNoLonger(t *testing.T) {
	for ttl, life := range map[time.Duration]time.Duration{
		time.Second:             time.Second,
		1200 * time.Millisecond: time.Second,
		10 * time.Minute:        10 * time.Minute,
	} {
		t.Run(ttl.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := newIssuer(t, issuer.WithTTL(ttl))
				<-time.After(time.Hour + 700*time.Millisecond)
				token, err := text(source.Token(t.Context(), nil))
				require.NoError(t, err)

				claims := claimsOf(t, token)
				issued, err := claims.GetIssuedAt()
				require.NoError(t, err)
				expires, err := claims.GetExpirationTime()
				require.NoError(t, err)
				assert.Equal(t, time.Now().Truncate(time.Second).Unix(), issued.Unix())
				assert.False(t, expires.After(time.Now().Add(ttl)), "it lives no longer than it may")
				assert.GreaterOrEqual(t, expires.Sub(issued.Time), life)

				<-time.After(ttl)
				_, err = jwt.Parse(token, func(*jwt.Token) (any, error) { return []byte(secret), nil })
				assert.ErrorIs(t, err, jwt.ErrTokenExpired)
			})
		})
	}
}

// Rule 30: a source is asked for each request, so each token begins anew.
func TestEachTokenBeginsWhenItIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newIssuer(t)
		first, err := text(source.Token(t.Context(), nil))
		require.NoError(t, err)
		<-time.After(59 * time.Second)
		second, err := text(source.Token(t.Context(), nil))
		require.NoError(t, err)
		assert.Equal(t, 59.0, claimsOf(t, second)["iat"].(float64)-claimsOf(t, first)["iat"].(float64))
	})
}

// registered are the claims of RFC 7519, section 4.1.
var registered = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}

// Rule 30, and rule 18 for what the error says of itself.
func TestAParamNamedLikeARegisteredClaimIsAPermanentError(t *testing.T) {
	for _, name := range append(registered, "EXP", "Sub", "iſs") {
		t.Run(name, func(t *testing.T) {
			token, err := text(newIssuer(t).Token(t.Context(), routeauth.Params{"sku_id": "4", name: "17"}))
			assert.Empty(t, token)
			require.ErrorContains(t, err, fmt.Sprintf("%q", name))
			assertPermanent(t, err)
		})
	}
	_, err := newIssuer(t).Token(t.Context(), routeauth.Params{"exp": "1", "issuer": "x", "aud": "y"})
	require.ErrorContains(t, err, `"aud"`)
	require.ErrorContains(t, err, `"exp"`)
	assert.NotContains(t, err.Error(), `"issuer"`)
}

// Rule 30: why the case of a name does not matter. A verifier that is written
// in Go reads claims into a struct with encoding/json, which folds case.
func TestAVerifierTakesAFoldedNameForARegisteredClaim(t *testing.T) {
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": iss, "iſs": "mallory"}).SignedString([]byte(secret))
	require.NoError(t, err)
	var claims jwt.RegisteredClaims
	_, err = jwt.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return []byte(secret), nil })
	require.NoError(t, err)
	assert.Equal(t, "mallory", claims.Issuer)
}

// Rule 30: the claim would hold another text than the param.
func TestAParamThatIsNotUTF8IsAPermanentError(t *testing.T) {
	for _, params := range []routeauth.Params{{"a": "\xff"}, {"\xff": "a"}} {
		_, err := newIssuer(t).Token(t.Context(), params)
		require.ErrorContains(t, err, "UTF-8")
		assertPermanent(t, err)
	}
}

// Rule 18.
func assertPermanent(t *testing.T, err error) {
	t.Helper()
	source := tokenFunc(func(context.Context, routeauth.Params) (string, error) { return "", err })
	transport, newErr := routeauth.NewJWTTransport(source, nil)
	require.NoError(t, newErr)
	_, err = transport.RoundTrip(httptest.NewRequest("GET", "https://api.example.com/", nil))
	var missing *routeauth.CredentialError
	require.ErrorAs(t, err, &missing)
	assert.False(t, missing.Temporary())
}

// Rule 30.
func TestAnIssuerThatNewDidNotMakeIssuesNothing(t *testing.T) {
	for _, source := range []*issuer.Issuer{nil, {}} {
		token, err := text(source.Token(t.Context(), nil))
		assert.Empty(t, token)
		require.ErrorContains(t, err, "New")
		assertPermanent(t, err)
	}
}

// Rule 30.
func TestAnyHMACSecretThatIsNotEmptyIsTaken(t *testing.T) {
	for _, key := range []routeauth.Secret{"x", "redacted", "REDACTED ", " ", "\x00\xff", routeauth.Secret(strings.Repeat("k", 4096))} {
		source, err := issuer.New(iss, key)
		require.NoError(t, err)
		token, err := text(source.Token(t.Context(), nil))
		require.NoError(t, err)
		_, err = jwt.Parse(token, func(*jwt.Token) (any, error) { return []byte(key), nil })
		assert.NoError(t, err)
	}
}

// Rules 17, 30 and 31.
func TestNewRefusesWhatMakesNoSense(t *testing.T) {
	for name, test := range map[string]struct {
		iss    string
		secret routeauth.Secret
		opts   []issuer.Option
		want   string
	}{
		"empty iss":                 {"", secret, nil, "iss is empty"},
		"iss that is not UTF-8":     {"\xff", secret, nil, "iss is not UTF-8"},
		"empty secret":              {iss, "", nil, "secret is empty"},
		"placeholder":               {iss, "REDACTED", nil, "secret is the placeholder REDACTED"},
		"nil option":                {iss, secret, []issuer.Option{nil}, "option is nil"},
		"zero TTL":                  {iss, secret, []issuer.Option{issuer.WithTTL(0)}, "TTL is 0s"},
		"negative TTL":              {iss, secret, []issuer.Option{issuer.WithTTL(-time.Hour)}, "TTL is -1h0m0s"},
		"TTL just under one second": {iss, secret, []issuer.Option{issuer.WithTTL(time.Second - 1)}, "TTL is 999.999999ms"},
	} {
		t.Run(name, func(t *testing.T) {
			source, err := issuer.New(test.iss, test.secret, test.opts...)
			assert.Nil(t, source)
			require.ErrorContains(t, err, test.want)
			assert.Equal(t, 1, strings.Count(err.Error(), "issuer: "), "no other fault is found")
		})
	}
}

// Rules 30 and 31.
func TestNewReportsAllMistakesAtOnce(t *testing.T) {
	_, err := issuer.New("", "", nil, issuer.WithTTL(0), nil)
	for _, want := range []string{"iss is empty", "secret is empty", "TTL is 0s", "option is nil"} {
		assert.ErrorContains(t, err, want)
	}
	assert.Equal(t, 5, strings.Count(err.Error(), "issuer: "))
}

// Rule 30: the least and the most that a TTL can be.
func TestTheLongestTTLDoesNotOverflow(t *testing.T) {
	token, err := text(newIssuer(t, issuer.WithTTL(math.MaxInt64)).Token(t.Context(), nil))
	require.NoError(t, err)
	assert.InDelta(t, float64(time.Now().Unix())+time.Duration(math.MaxInt64).Seconds(), claimsOf(t, token)["exp"], 2)
}

// Rule 27.
func TestNoFormattingShowsTheSecret(t *testing.T) {
	source := newIssuer(t)
	handler := newHandler(t, source, &gate{})
	type app struct {
		Exported   any
		unexported any
		issuer     *issuer.Issuer
		value      issuer.Issuer
	}
	for _, value := range []any{source, *source, handler, app{source, source, source, *source}, &app{handler, handler, source, *source}} {
		var shown bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&shown, verb, value)
		}
		text, err := json.Marshal(value)
		require.NoError(t, err)
		shown.Write(text)
		slog.New(slog.NewTextHandler(&shown, nil)).Info("", "value", value)
		slog.New(slog.NewJSONHandler(&shown, nil)).Info("", "value", value)
		for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprint([]byte(secret))} {
			assert.NotContains(t, shown.String(), form, "%T", value)
		}
	}
	_, err := issuer.New("", secret, issuer.WithTTL(0))
	assert.NotContains(t, err.Error(), secret)
	_, err = source.Token(t.Context(), routeauth.Params{"exp": "1"})
	assert.NotContains(t, err.Error(), secret)
}

// Rule 8, under the race detector.
func TestAnIssuerIsSafeForConcurrentUse(t *testing.T) {
	source := newIssuer(t)
	params := routeauth.Params{"sku_id": "4"}
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			token, err := text(source.Token(t.Context(), params))
			if assert.NoError(t, err) {
				assert.Equal(t, params, paramsOf(t, token))
			}
		})
	}
	wait.Wait()
}
