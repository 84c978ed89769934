package routeauth_test

import (
	"context"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rule 19: when a token ends, counted from the moment at which it was asked
// for. The clock of these tests begins at 2000-01-01.
func TestCacheKeepsATokenUntilItsEnd(t *testing.T) {
	const hour = 3600
	tests := []struct {
		name     string
		took     time.Duration // by the source
		iat, exp any           // seconds from the moment at which it was asked for; nil for none
		kept     time.Duration
	}{
		{"the clock is right", 0, 0, 60, time.Minute},
		{"the token was issued earlier", 0, -10, 50, 50 * time.Second},
		{"the token was issued long ago", 0, -hour, 50, 50 * time.Second},
		{"the source is slow", 5 * time.Second, 1, 61, 61 * time.Second},
		{"the token arrives at its iat", 5 * time.Second, 5, 65, 65 * time.Second},
		{"iat and exp are fractions", 0, -0.5, 1.25, 1250 * time.Millisecond},
		{"the clock is slow", 5 * time.Second, hour, hour + 60, time.Minute},
		{"the clock is slow by a second", 5 * time.Second, 6, 66, time.Minute},
		{"the clock is fast", 5 * time.Second, -hour, -hour + 60, time.Minute},
		{"the clock is fast by the token's life", 5 * time.Second, -60, 0, time.Minute},
		{"the clock is wrong and iat and exp are fractions", 0, hour + 0.5, hour + 2.75, 2250 * time.Millisecond},
		{"without iat", 5 * time.Second, nil, 60, time.Minute},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				claims := jwt.MapClaims{}
				for name, seconds := range map[string]any{"iat": test.iat, "exp": test.exp} {
					switch seconds := seconds.(type) {
					case int:
						claims[name] = time.Now().Unix() + int64(seconds)
					case float64:
						claims[name] = float64(time.Now().Unix()) + seconds
					}
				}
				token := sign(t, claims)
				source := after(test.took, sourceOf(token))
				cache := newCache(t, source, neverRefresh, toTheEnd)

				assert.Equal(t, token, tokenFor(t, cache, nil))
				advance(test.kept - test.took - time.Nanosecond)
				assert.Equal(t, token, tokenFor(t, cache, nil))
				assert.Equal(t, 1, source.count(), "a nanosecond before the end")
				advance(time.Nanosecond)
				tokenFor(t, cache, nil)
				assert.Equal(t, 2, source.count(), "at the end")
			})
		})
	}
}

// Rule 19: a clock that was credible when the token was asked for is not wrong
// because the token took long.
func TestCacheDoesNotKeepATokenThatExpiredOnItsWay(t *testing.T) {
	for _, took := range []time.Duration{5 * time.Second, 6 * time.Second, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			token := sign(t, jwt.MapClaims{"iat": time.Now().Unix() - 55, "exp": time.Now().Unix() + 5})
			source := after(took, sourceOf(token))
			cache := newCache(t, source, neverRefresh, routeauth.WithFetchTimeout(time.Hour))
			assert.Equal(t, token, tokenFor(t, cache, nil), "it is the caller's all the same")
			tokenFor(t, cache, nil)
			assert.Equal(t, 2, source.count(), "%v", took)
		})
	}
}

// Rule 19: an algorithm that is not known here, and a far end, are no reason
// not to keep a token.
func TestCacheKeepsAnyJWTWithAnExp(t *testing.T) {
	for name, token := range map[string]string{
		"unknown alg":   unsigned(`{"alg":"XX999"}`, `{"exp":4000000000}`, "c2ln"),
		"no alg":        unsigned(`{"typ":"JWT"}`, `{"exp":4000000000}`, "c2ln"),
		"alg none":      unsigned(`{"alg":"none"}`, `{"exp":4000000000}`, ""),
		"the year 9999": unsigned(`{"alg":"HS256"}`, `{"iat":0,"exp":253402300799}`, "c2ln"),
		"exp as 4e9":    unsigned(`{"alg":"HS256"}`, `{"exp":4e9}`, "c2ln"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := sourceOf(token)
				cache := newCache(t, source)
				tokenFor(t, cache, nil)
				advance(24 * time.Hour)
				assert.Equal(t, token, tokenFor(t, cache, nil))
				assert.Equal(t, 1, source.count())
			})
		})
	}
}

// Rule 19: what is no JWT with a credible exp is handed out and not kept.
func TestCacheDoesNotKeepWhatHasNoEnd(t *testing.T) {
	// The clock stands at 946684800 when the source is asked, and 5 s later
	// when the token arrives.
	claims := func(text string) string { return unsigned(`{"alg":"HS256"}`, text, "c2ln") }
	for name, token := range map[string]string{
		"no exp":                          claims(`{"iat":946684800}`),
		"exp in another case":             claims(`{"EXP":946684900}`),
		"exp is null":                     claims(`{"iat":946684800,"exp":null}`),
		"exp is a string":                 claims(`{"iat":946684800,"exp":"946684900"}`),
		"exp is a list":                   claims(`{"exp":[946684900]}`),
		"exp is true":                     claims(`{"exp":true}`),
		"exp is iat":                      claims(`{"iat":946684900,"exp":946684900}`),
		"exp is before iat":               claims(`{"iat":946684900,"exp":946684899}`),
		"exp is before iat, both in past": claims(`{"iat":900,"exp":899}`),
		"exp is negative":                 claims(`{"iat":946684800,"exp":-1}`),
		"iat and exp are negative":        claims(`{"iat":-100,"exp":-40}`),
		"exp is after the year 9999":      claims(`{"exp":253402300800}`),
		"exp is after the end of int64":   claims(`{"exp":1e19}`),
		"exp is as large as floats go":    claims(`{"exp":1e308}`),
		"exp is larger than floats go":    claims(`{"exp":1e309}`),
		"iat is a string":                 claims(`{"iat":"946684800","exp":946684900}`),
		"iat is out of range":             claims(`{"iat":-1e300,"exp":946684900}`),
		"no iat and exp has passed":       claims(`{"exp":946684804}`),
		"no iat and exp is now":           claims(`{"exp":946684805}`),
		"no iat and exp is long past":     claims(`{"exp":900}`),
		"its life passed on the way":      claims(`{"iat":4000000000,"exp":4000000005}`),
		"no JWT":                          "opaque",
		"two segments":                    "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjQwMDAwMDAwMDB9",
		"four segments":                   claims(`{"exp":4000000000}`) + ".c2ln",
		"five segments, as of a JWE":      claims(`{"exp":4000000000}`) + ".c2ln.c2ln",
		"the claims are no JSON":          claims(`{"exp":4000000000`),
		"the claims are null":             claims(`null`),
		"the claims are a list":           claims(`[{"exp":4000000000}]`),
		"the claims are padded":           "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjQwMDAwMDAwMDAgfQ==.c2ln",
		"the header is no JSON":           unsigned(`alg`, `{"exp":4000000000}`, "c2ln"),
		"the signature is not base64":     unsigned(`{"alg":"HS256"}`, `{"exp":4000000000}`, "!"),
		"empty segments":                  "..",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := after(5*time.Second, sourceOf(token))
				cache := newCache(t, source)
				assert.Equal(t, token, tokenFor(t, cache, nil))
				assert.Equal(t, token, tokenFor(t, cache, nil))
				assert.Equal(t, 2, source.count())
			})
		})
	}
}

// K3, rule 19: a token that is no JWT is kept until its Expiry.
func TestCacheKeepsAnOpaqueTokenUntilItsExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := opaqueLiving(time.Minute)
		cache := newCache(t, source, neverRefresh, toTheEnd)
		for _, want := range []string{"1", "2", "3"} {
			assert.Equal(t, want, tokenFor(t, cache, nil))
			advance(time.Minute - 1)
			assert.Equal(t, want, tokenFor(t, cache, nil))
			advance(1)
		}
		assert.Equal(t, 3, source.count())
	})
}

// Rule 19: a token ends at its Expiry or its exp, whichever comes first. The
// caller learns when.
func TestCacheKeepsATokenUntilItsExpiryOrItsExp(t *testing.T) {
	const slow, fast = -24 * time.Hour, 24 * time.Hour
	for name, test := range map[string]struct {
		jwt    time.Duration // how long the JWT lives, 0 for an opaque token
		clock  time.Duration // this machine's clock against the issuer's
		expiry time.Duration // 0 for none
		kept   time.Duration
	}{
		"opaque":                   {0, 0, 40 * time.Second, 40 * time.Second},
		"a JWT":                    {time.Minute, 0, 0, time.Minute},
		"Expiry first":             {time.Minute, 0, 40 * time.Second, 40 * time.Second},
		"exp first":                {time.Minute, 0, 80 * time.Second, time.Minute},
		"both":                     {time.Minute, 0, time.Minute, time.Minute},
		"a slow clock":             {time.Minute, slow, 0, time.Minute},
		"a slow clock, Expiry":     {time.Minute, slow, 40 * time.Second, 40 * time.Second},
		"a slow clock, exp first":  {time.Minute, slow, 80 * time.Second, time.Minute},
		"a fast clock":             {time.Minute, fast, 0, time.Minute},
		"a fast clock, Expiry":     {time.Minute, fast, 40 * time.Second, 40 * time.Second},
		"a fast clock, exp first":  {time.Minute, fast, 80 * time.Second, time.Minute},
		"an Expiry that is past":   {time.Minute, 0, -time.Second, 0},
		"the same, opaque":         {0, 0, -time.Second, 0},
		"an Expiry that is now":    {0, 0, time.Nanosecond, time.Nanosecond},
		"an Expiry that is far":    {0, 0, 100 * 365 * 24 * time.Hour, 100 * 365 * 24 * time.Hour},
		"no exp and an Expiry":     {-1, 0, time.Minute, time.Minute},
		"no exp and no Expiry":     {-1, 0, 0, 0},
		"opaque and without end":   {0, 0, 0, 0},
		"nonsense and an Expiry":   {-2, 0, time.Minute, 0},
		"nonsense and none either": {-2, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				iat := time.Now().Add(-test.clock)
				token := routeauth.Token{Value: "opaque"}
				switch {
				case test.jwt > 0:
					token.Value = routeauth.Secret(mint(t, "", iat, iat.Add(test.jwt)))
				case test.jwt == -1:
					token.Value = routeauth.Secret(sign(t, jwt.MapClaims{"iat": iat.Unix()}))
				case test.jwt == -2:
					token.Value = routeauth.Secret(mint(t, "", iat, iat))
				}
				if test.expiry != 0 {
					token.Expiry = time.Now().Add(test.expiry)
				}
				source := &tokenSource{next: func(context.Context, routeauth.Params, int) (routeauth.Token, error) { return token, nil }}
				cache := newCache(t, source, neverRefresh, toTheEnd)
				got, err := cache.Token(t.Context(), nil)
				require.NoError(t, err)
				assert.Equal(t, token.Value, got.Value)
				if test.kept > 0 {
					assert.True(t, got.Expiry.Equal(time.Now().Add(test.kept)), got.Expiry)
					advance(test.kept - 1)
					tokenFor(t, cache, nil)
					assert.Equal(t, 1, source.count())
					advance(1)
				}
				tokenFor(t, cache, nil)
				assert.Equal(t, 2, source.count())
			})
		})
	}
}

// Rule 19: a cache over a cache keeps a token until the same moment, also where
// the clock is wrong.
func TestACacheOverACacheKeepsATokenAsLong(t *testing.T) {
	for name, clock := range map[string]time.Duration{"right": 0, "slow": -24 * time.Hour, "fast": 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			iat := time.Now().Add(-clock)
			source := &countingSource{next: func(_ context.Context, _ routeauth.Params, nth int) (string, error) {
				since := time.Since(iat.Add(clock))
				return mint(t, strconv.Itoa(nth), iat.Add(since), iat.Add(since+time.Minute)), nil
			}}
			below := newCache(t, source, neverRefresh, toTheEnd)
			first := tokenFor(t, below, nil)
			advance(30 * time.Second)
			above := newCache(t, below, neverRefresh, toTheEnd)
			assert.Equal(t, first, tokenFor(t, above, nil))
			advance(30*time.Second - 1)
			assert.Equal(t, first, tokenFor(t, above, nil))
			assert.Equal(t, uint64(1), above.Stats().Fetches, name)
			advance(1)
			assert.NotEqual(t, first, tokenFor(t, above, nil), name)
		})
	}
}

// K7, rule 19: a cache of tokens for params of a mebibyte holds no mebibytes.
func TestCacheHoldsLittleOfLongParams(t *testing.T) {
	cache := newCache(t, opaqueLiving(time.Hour))
	heap := func() uint64 {
		runtime.GC()
		runtime.GC() // what the first one found dead is free after the second
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before := heap()
	for round := range 2 {
		for i := range 20 {
			params := routeauth.Params{"long": strings.Repeat("x", 1<<20), "user": strconv.Itoa(i)}
			assert.Equal(t, strconv.Itoa(i+1), tokenFor(t, cache, params), "round %d", round)
		}
	}
	assert.Less(t, heap(), before+5<<20)
	runtime.KeepAlive(cache)
}

// Rules 19 and 21: a source that keeps tokens too hands out the same one when
// it is asked again. That is no new life.
func TestCacheDoesNotProlongATokenThatItGetsAgain(t *testing.T) {
	for name, offset := range map[string]time.Duration{
		"the clock is right": 0,
		"the clock is slow":  24 * time.Hour,
		"the clock is fast":  -24 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				iat := time.Now().Add(offset)
				first := mint(t, "first", iat, iat.Add(time.Minute))
				second := mint(t, "second", iat.Add(time.Minute), iat.Add(2*time.Minute))
				began := time.Now()
				source := &countingSource{next: func(context.Context, routeauth.Params, int) (string, error) {
					if time.Since(began) < time.Minute {
						return first, nil
					}
					return second, nil
				}}
				cache := newCache(t, source)
				for range 59 {
					require.Equal(t, first, tokenFor(t, cache, nil))
					synctest.Wait()
					advance(time.Second)
				}
				assert.Greater(t, source.count(), 1, "it was refreshed")
				advance(time.Second)
				assert.Equal(t, second, tokenFor(t, cache, nil), "the first one has ended")
			})
		})
	}
}

// Rule 19: what a source hands out has not expired, also where the cache thought
// so: a clock that is wrong is no reason to ask at every call.
func TestCacheKeepsATokenAgainThatItGetsAfterItsEnd(t *testing.T) {
	for name, offset := range map[string]time.Duration{
		"the clock runs into the exp": 0,
		"the clock is slow":           24 * time.Hour,
		"the clock is fast":           -24 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				iat := time.Now().Add(offset)
				source := sourceOf(mint(t, "", iat, iat.Add(time.Minute)))
				cache := newCache(t, source, neverRefresh, toTheEnd)
				tokenFor(t, cache, nil)
				advance(time.Minute)
				for range 10 {
					tokenFor(t, cache, nil)
				}
				assert.Equal(t, 2, source.count())
				advance(time.Minute)
				tokenFor(t, cache, nil)
				assert.Equal(t, 3, source.count())
			})
		})
	}
}
