package issuer_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http/httptest"
	"os"
	"os/exec"
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

// Rule 30, as its doc comment says: why a token that was revoked cannot be
// replaced within the second.
func TestTwoTokensOfOneSecondAreTheSameText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		params := routeauth.Params{"sku_id": "4", "uploaded_image_id": "17"}
		token := func(params routeauth.Params) string {
			token, err := text(newIssuer(t).Token(t.Context(), params))
			require.NoError(t, err)
			return token
		}
		first := token(params)
		<-time.After(time.Second - 1)
		assert.Equal(t, first, token(params))
		assert.NotEqual(t, first, token(routeauth.Params{"sku_id": "5", "uploaded_image_id": "17"}))
		<-time.After(1)
		assert.NotEqual(t, first, token(params))
	})
}

// Rule 30: the scene of K8. A verifier whose clock is behind takes a token of
// this instant for one of the future.
func TestABackdatedTokenPassesAVerifierWhoseClockIsBehind(t *testing.T) {
	for name, test := range map[string]struct {
		backdate, behind time.Duration
		passes           bool
	}{
		"no backdate, clocks agree":      {0, 0, true},
		"no backdate, a second behind":   {0, time.Second, false},
		"5 s, a second behind":           {5 * time.Second, time.Second, true},
		"5 s, 5 s behind":                {5 * time.Second, 5 * time.Second, true},
		"5 s, 6 s behind":                {5 * time.Second, 6 * time.Second, false},
		"half a second, a second behind": {500 * time.Millisecond, time.Second, false},
		"1.5 s, a second behind":         {1500 * time.Millisecond, time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				<-time.After(time.Hour + 700*time.Millisecond)
				token, err := text(newIssuer(t, issuer.WithBackdate(test.backdate)).Token(t.Context(), nil))
				require.NoError(t, err)
				_, err = jwt.Parse(token, func(*jwt.Token) (any, error) { return []byte(secret), nil },
					jwt.WithIssuedAt(), jwt.WithTimeFunc(func() time.Time { return time.Now().Add(-test.behind) }))
				if test.passes {
					assert.NoError(t, err)
				} else {
					assert.ErrorIs(t, err, jwt.ErrTokenUsedBeforeIssued)
				}
				claims := claimsOf(t, token)
				assert.Equal(t, float64(time.Now().Add(-test.backdate).Unix()), claims["iat"])
				assert.Equal(t, float64(time.Now().Add(time.Minute).Unix()), claims["exp"], "it lives no longer")
			})
		})
	}
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

// Rule 30: the scene of K8. Of two names that are equal but for case, a verifier
// reads the last.
func TestTwoParamsWhoseNamesDifferOnlyInCaseAreAPermanentError(t *testing.T) {
	for _, names := range [][2]string{
		{"sku_id", "SKU_ID"}, {"sku_id", "ſku_id"}, {"SKU_ID", "ſku_id"}, {"key", "\u212aey"},
		{"straße", "STRAẞE"}, {"σίγμα", "ςίγμα"}, {"σίγμα", "ΣΊΓΜΑ"}, {"µ", "μ"},
	} {
		require.True(t, strings.EqualFold(names[0], names[1]))
		_, err := newIssuer(t).Token(t.Context(), routeauth.Params{"a": "1", names[0]: "mine", names[1]: "victims", "z": "2"})
		require.ErrorContains(t, err, fmt.Sprintf("%q", names[0]))
		require.ErrorContains(t, err, fmt.Sprintf("%q", names[1]))
		assert.NotContains(t, err.Error(), "victims")
		assertPermanent(t, err)
	}
	for _, names := range [][2]string{{"sku_id", "sku-id"}, {"sku", "skus"}, {"strasse", "straße"}, {"i", "İ"}, {"", "a"}} {
		token, err := text(newIssuer(t).Token(t.Context(), routeauth.Params{names[0]: "1", names[1]: "2"}))
		require.NoError(t, err, names)
		assert.Equal(t, routeauth.Params{names[0]: "1", names[1]: "2"}, paramsOf(t, token))
	}
}

// Rule 30: why. A verifier that is written in Go reads the claims into a struct.
func TestAVerifierTakesTwoFoldedNamesForOne(t *testing.T) {
	var claims struct {
		SKU string `json:"sku_id"`
	}
	require.NoError(t, json.Unmarshal([]byte(`{"sku_id":"mine","ſku_id":"victims"}`), &claims))
	assert.Equal(t, "victims", claims.SKU)
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
	keys := []routeauth.Secret{"0123456789abcd", "redacted or not", "REDACTED      ", "              ",
		"\x00\xff            ", routeauth.Secret(strings.Repeat("k", 4096))}
	if !onlyFIPS() {
		keys = append(keys, "x", "redacted", "REDACTED ", " ", "\x00\xff", "0123456789abc")
	}
	for _, key := range keys {
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
		"negative backdate":         {iss, secret, []issuer.Option{issuer.WithBackdate(-1)}, "backdate is -1ns: it must be 0 or more"},
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
	_, err := issuer.New("", "", nil, issuer.WithTTL(0), issuer.WithBackdate(-time.Hour), nil)
	for _, want := range []string{"iss is empty", "secret is empty", "TTL is 0s", "backdate is -1h0m0s", "option is nil"} {
		assert.ErrorContains(t, err, want)
	}
	assert.Equal(t, 6, strings.Count(err.Error(), "issuer: "))
}

// onlyFIPS reports whether this program runs in a FIPS 140 mode that refuses
// short secrets.
func onlyFIPS() (refused bool) {
	defer func() { refused = recover() != nil }()
	hmac.New(sha256.New, []byte("short"))
	return false
}

// Rule 30: the scene of E8. This test runs itself once more, in the mode.
func TestASecretThatTheFIPSModeRefusesIsAConstructorError(t *testing.T) {
	if !onlyFIPS() {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		command.Env = append(os.Environ(), "GODEBUG=fips140=only")
		output, err := command.CombinedOutput()
		require.NoError(t, err, "%s", output)
		require.Contains(t, string(output), "--- PASS: "+t.Name())
		return
	}
	for _, short := range []routeauth.Secret{"x", "hunter2", "0123456789abc"} {
		source, err := issuer.New("", short, issuer.WithTTL(0))
		assert.Nil(t, source)
		require.ErrorContains(t, err, "FIPS 140")
		assert.ErrorContains(t, err, "112 bits", "how long it must be")
		assert.ErrorContains(t, err, "iss is empty", "and everything else that is wrong")
		assert.NotContains(t, err.Error(), string(short)+" ")
		assert.NotContains(t, err.Error(), "hunter2")
	}
	source, err := issuer.New(iss, "0123456789abcd")
	require.NoError(t, err)
	_, err = source.Token(t.Context(), routeauth.Params{"sku_id": "4"})
	assert.NoError(t, err)
}

// Rule 30: the most that a TTL and a backdate can be.
func TestTheLongestTimesDoNotOverflow(t *testing.T) {
	token, err := text(newIssuer(t, issuer.WithBackdate(math.MaxInt64)).Token(t.Context(), nil))
	require.NoError(t, err)
	assert.InDelta(t, float64(time.Now().Unix())-time.Duration(math.MaxInt64).Seconds(), claimsOf(t, token)["iat"], 2)

	token, err = text(newIssuer(t, issuer.WithTTL(math.MaxInt64)).Token(t.Context(), nil))
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
