package routeauth_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
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
				cache := newCache(t, source, neverRefresh)

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

// Rule 21: before its end a token is served at once and replaced behind the
// caller's back, once, however many callers there are.
func TestCacheReplacesATokenInTheBackgroundBeforeItsEnd(t *testing.T) {
	tests := []struct {
		name string
		opts []routeauth.CacheOption
		life time.Duration
		from time.Duration
	}{
		{"10 s by default", nil, time.Minute, 50 * time.Second},
		{"as the option says", []routeauth.CacheOption{routeauth.WithRefreshBefore(15 * time.Second)}, time.Minute, 45 * time.Second},
		{"a third of a short life", nil, 12 * time.Second, 8 * time.Second},
		{"a third of a long life", []routeauth.CacheOption{routeauth.WithRefreshBefore(time.Hour)}, time.Minute, 40 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := sourceLiving(t, test.life)
				cache := newCache(t, source, test.opts...)
				first := tokenFor(t, cache, nil)
				after(2*time.Second, source)

				advance(test.from - time.Nanosecond)
				assert.Equal(t, first, tokenFor(t, cache, nil))
				synctest.Wait()
				assert.Equal(t, 1, source.count(), "too early")
				advance(time.Nanosecond)
				for range 100 {
					got := <-ask(t.Context(), cache, nil)
					require.Equal(t, reply{first, nil, 0}, got, "nobody waits")
				}
				advance(2*time.Second - time.Nanosecond)
				assert.Equal(t, first, tokenFor(t, cache, nil))
				assert.Equal(t, 2, source.count(), "one fetch")

				advance(time.Nanosecond)
				synctest.Wait()
				second := tokenFor(t, cache, nil)
				assert.NotEqual(t, first, second)
				advance(test.life - 2*time.Second - test.from)
				assert.Equal(t, second, tokenFor(t, cache, nil), "after the end of the first")
				assert.Equal(t, 2, source.count())
			})
		})
	}
}

// Rule 21: many callers at the same instant start one refresh.
func TestCacheReplacesATokenOnceForConcurrentCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Minute)
		cache := newCache(t, source)
		tokenFor(t, cache, nil)
		after(time.Second, source)
		advance(55 * time.Second)
		var callers sync.WaitGroup
		for range 100 {
			callers.Go(func() { _, _ = cache.Token(t.Context(), nil) })
		}
		callers.Wait()
		advance(time.Second)
		synctest.Wait()
		assert.Equal(t, 2, source.count())
	})
}

// Rule 21: nobody asks for a token that nobody uses.
func TestCacheReplacesNoTokenThatNobodyAsksFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Minute)
		tokenFor(t, newCache(t, source), nil)
		advance(time.Hour)
		assert.Equal(t, 1, source.count())
	})
}

// Rule 21: 0 means never.
func TestCacheWithoutRefreshAsksAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Minute)
		cache := newCache(t, source, neverRefresh)
		tokenFor(t, cache, nil)
		advance(time.Minute - time.Nanosecond)
		tokenFor(t, cache, nil)
		synctest.Wait()
		assert.Equal(t, 1, source.count())
	})
}

// Rules 20 and 21: a refresh has the values of the caller who set it off and
// the fetch timeout, but not that caller's cancellation.
func TestCacheReplacesATokenWithTheCallersValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Minute)
		cache := newCache(t, source, routeauth.WithFetchTimeout(5*time.Second))
		tokenFor(t, cache, nil)
		advance(50 * time.Second)

		next, done := source.next, make(chan struct{})
		source.next = func(ctx context.Context, params routeauth.Params, nth int) (string, error) {
			defer close(done)
			deadline, ok := ctx.Deadline()
			assert.True(t, ok)
			assert.Equal(t, 5*time.Second, time.Until(deadline))
			advance(time.Second)
			assert.NoError(t, ctx.Err())
			assert.Equal(t, "caller", ctx.Value(contextKey{}))
			return next(ctx, params, nth)
		}
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), contextKey{}, "caller"))
		_, err := cache.Token(ctx, nil)
		require.NoError(t, err)
		cancel()
		<-done
	})
}

// Rule 21: a refresh that brings nothing better leaves the token in use until
// its end, and is tried again at most once a second.
func TestCacheServesATokenToItsEndWhenItsRefreshFails(t *testing.T) {
	tests := []struct {
		name string
		next func(t *testing.T, first string) (string, error)
	}{
		{"an error", func(*testing.T, string) (string, error) { return "", errors.New("down") }},
		{"a panic", func(*testing.T, string) (string, error) { panic("down") }},
		{"no token", func(*testing.T, string) (string, error) { return "", nil }},
		{"an ill-formed token", func(*testing.T, string) (string, error) { return "two words", nil }},
		{"a token that cannot be kept", func(*testing.T, string) (string, error) { return "opaque", nil }},
		{"the same token", func(_ *testing.T, first string) (string, error) { return first, nil }},
		{"a token that ends sooner", func(t *testing.T, _ string) (string, error) {
			end := 946684860.0 // of the first token
			now := end - time.Until(time.Unix(int64(end), 0)).Seconds()
			return sign(t, jwt.MapClaims{"iat": now - 1, "exp": (now + end) / 2}), nil
		}},
	}
	for _, took := range []time.Duration{0, 100 * time.Millisecond, 1500 * time.Millisecond} {
		for _, test := range tests {
			t.Run(fmt.Sprintf("%s after %v", test.name, took), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					first := mint(t, "first", time.Now(), time.Now().Add(time.Minute))
					var asked []time.Time
					source := &countingSource{next: func(_ context.Context, _ routeauth.Params, nth int) (string, error) {
						if nth == 1 {
							return first, nil
						}
						asked = append(asked, time.Now())
						advance(took)
						return test.next(t, first)
					}}
					cache := newCache(t, source)
					end := time.Now().Add(time.Minute)
					tokenFor(t, cache, nil)
					const step = 37 * time.Millisecond // 999 ms are a multiple of it, and a second is none
					for advance(50*time.Second - 5*step); time.Now().Before(end); advance(step) {
						require.Equal(t, reply{first, nil, 0}, <-ask(t.Context(), cache, nil))
						synctest.Wait()
					}
					require.NotEmpty(t, asked)
					assert.Equal(t, 10*time.Second, end.Sub(asked[0]))
					assert.GreaterOrEqual(t, len(asked), 2, "it is tried again")
					for i := range asked[1:] {
						assert.GreaterOrEqual(t, asked[i+1].Sub(asked[i]), time.Second)
					}
					advance(2 * time.Second) // what is under way ends
				})
			})
		}
	}
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
				cache := newCache(t, source, neverRefresh)
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

// Rule 21: who comes after the end, while the refresh is under way, waits for
// it and starts no other fetch.
func TestCacheJoinsTheRefreshAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Minute)
		cache := newCache(t, source)
		first := tokenFor(t, cache, nil)
		after(5*time.Second, source)
		advance(58 * time.Second)
		assert.Equal(t, first, tokenFor(t, cache, nil))
		advance(2 * time.Second)
		got := <-ask(t.Context(), cache, nil)
		assert.NotEqual(t, first, got.token)
		assert.Equal(t, 3*time.Second, got.at)
		assert.Equal(t, 2, source.count())
	})
}

// Rules 20 and 21: a refresh that hangs is given up after the fetch timeout.
func TestCacheGivesUpARefreshThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, 10*time.Minute)
		cache := newCache(t, source, routeauth.WithRefreshBefore(time.Minute))
		first := tokenFor(t, cache, nil)
		next, release := source.next, make(chan struct{})
		source.next = func(ctx context.Context, params routeauth.Params, nth int) (string, error) {
			if nth == 2 {
				<-release
			}
			return next(ctx, params, nth)
		}
		advance(9 * time.Minute)
		assert.Equal(t, first, tokenFor(t, cache, nil))
		advance(30*time.Second - time.Nanosecond)
		assert.Equal(t, first, tokenFor(t, cache, nil))
		assert.Equal(t, 2, source.count())
		advance(time.Nanosecond)
		synctest.Wait()
		assert.Equal(t, first, tokenFor(t, cache, nil))
		synctest.Wait()
		assert.Equal(t, 3, source.count(), "the next caller starts a new one")
		second := tokenFor(t, cache, nil)
		assert.NotEqual(t, first, second)
		close(release)
		synctest.Wait()
		assert.Equal(t, second, tokenFor(t, cache, nil), "the late token is dropped")
	})
}

// Rule 21: a third of the token's life, not of what was left when it arrived.
func TestCacheTakesTheLifeOfATokenFromItsClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iat := time.Now().Add(-40 * time.Second)
		first := mint(t, "first", iat, iat.Add(time.Minute)) // 20 s are left
		source := &countingSource{next: func(_ context.Context, _ routeauth.Params, nth int) (string, error) {
			if nth == 1 {
				return first, nil
			}
			return mint(t, "next", time.Now(), time.Now().Add(time.Hour)), nil
		}}
		cache := newCache(t, source)
		tokenFor(t, cache, nil)
		advance(9 * time.Second)
		tokenFor(t, cache, nil)
		synctest.Wait()
		assert.Equal(t, 1, source.count(), "11 s are left")
		advance(time.Second)
		tokenFor(t, cache, nil)
		synctest.Wait()
		assert.Equal(t, 2, source.count(), "10 s are left")
	})
}

// Rule 21: a token that lives for a second is replaced in the background too,
// and one that arrives near its end is not asked for again at once.
func TestCacheRefreshesTokensThatLiveShortly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Second)
		cache := newCache(t, source)
		first := tokenFor(t, cache, nil)
		advance(700 * time.Millisecond)
		assert.Equal(t, first, tokenFor(t, cache, nil))
		synctest.Wait()
		assert.Equal(t, 2, source.count())
	})
	synctest.Test(t, func(t *testing.T) {
		iat := time.Now().Add(-55 * time.Second)
		old := mint(t, "old", iat, iat.Add(time.Minute))
		source := &countingSource{next: func(context.Context, routeauth.Params, int) (string, error) { return old, nil }}
		cache := newCache(t, source)
		for range 10 {
			tokenFor(t, cache, nil)
			synctest.Wait()
		}
		assert.Equal(t, 1, source.count())
		advance(time.Second)
		tokenFor(t, cache, nil)
		synctest.Wait()
		assert.Equal(t, 2, source.count())
	})
}
