package filetokens_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/filetokens"
	"github.com/gofrs/flock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var _ routeauth.Discarder = (*filetokens.Source)(nil)

// issuer is a source of tokens that are all different and says how often it was
// asked.
type issuer struct {
	life    time.Duration
	fetches atomic.Int64
	before  func(ctx context.Context, n int64) error // of the nth fetch; may be nil
}

func newIssuer(life time.Duration) *issuer { return &issuer{life: life} }

func (i *issuer) Token(ctx context.Context, _ routeauth.Params) (routeauth.Token, error) {
	n := i.fetches.Add(1)
	if i.before != nil {
		if err := i.before(ctx, n); err != nil {
			return routeauth.Token{}, err
		}
	}
	return routeauth.Token{Value: nth(n), Expiry: time.Now().Add(i.life)}, nil
}

// nth is the token of the nth fetch.
func nth(n int64) routeauth.Secret { return routeauth.Secret(fmt.Sprintf("secret-token-%d", n)) }

// newFolder returns the name of a folder that New makes.
func newFolder(t testing.TB) string { return filepath.Join(t.TempDir(), "mytool", "tokens") }

// stored returns a Source as another run of the program has it.
func stored(t testing.TB, dir string, source routeauth.TokenSource, opts ...filetokens.Option) *filetokens.Source {
	t.Helper()
	s, err := filetokens.New(dir, source, opts...)
	require.NoError(t, err)
	return s
}

func tokenOf(t testing.TB, source routeauth.TokenSource) routeauth.Secret {
	t.Helper()
	token, err := source.Token(t.Context(), nil)
	require.NoError(t, err)
	return token.Value
}

// files returns the names of the files that end so.
func files(t testing.TB, dir, suffix string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	require.NoError(t, err)
	return names
}

// theFile returns the one token's file.
func theFile(t testing.TB, dir string) string {
	t.Helper()
	names := files(t, dir, ".token")
	require.Len(t, names, 1)
	return names[0]
}

func TestTheNextRunFindsTheTokenOfTheLast(t *testing.T) {
	dir, source := newFolder(t), newIssuer(time.Hour)
	first, err := stored(t, dir, source).Token(t.Context(), nil)
	require.NoError(t, err)
	second, err := stored(t, dir, source).Token(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, nth(1), second.Value)
	assert.WithinDuration(t, first.Expiry, second.Expiry, time.Millisecond)
	assert.EqualValues(t, 1, source.fetches.Load())
}

func TestRunsAtTheSameTimeMakeOneFetch(t *testing.T) {
	dir, source := newFolder(t), newIssuer(time.Hour)
	var begun, runs sync.WaitGroup
	begun.Add(100)
	source.before = func(context.Context, int64) error {
		begun.Wait()
		return nil
	}
	for range 50 {
		s := stored(t, dir, source)
		for range 2 {
			runs.Go(func() {
				begun.Done()
				assert.Equal(t, nth(1), tokenOf(t, s))
			})
		}
	}
	runs.Wait()
	assert.EqualValues(t, 1, source.fetches.Load())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "one token and one lock")
}

func TestWhatIsPartOfTheKeyTellsTokensApart(t *testing.T) {
	dir, source := newFolder(t), newIssuer(time.Hour)
	user := func(name string) context.Context { return routeauth.ContextWithIdentity(t.Context(), name) }
	for range 2 {
		s := stored(t, dir, source)
		for i, asked := range []struct {
			ctx    context.Context
			params routeauth.Params
		}{
			{t.Context(), nil},
			{user("secret-user-a"), nil},
			{user("secret-user-b"), nil},
			{user("secret-user-a"), routeauth.Params{"secret-param": "1"}},
			{user("secret-user-a"), routeauth.Params{"secret-param": "2"}},
		} {
			token, err := s.Token(asked.ctx, asked.params)
			require.NoError(t, err)
			assert.Equal(t, nth(int64(i+1)), token.Value)
		}
	}
	for _, name := range files(t, dir, "") {
		assert.NotContains(t, filepath.Base(name), "secret")
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.NotContains(t, string(text), "secret-user")
		assert.NotContains(t, string(text), "secret-param")
	}
}

func TestATokenIsFetchedAnewAfterItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, source := newFolder(t), newIssuer(time.Minute)
		tokenOf(t, stored(t, dir, source))
		time.Sleep(time.Minute)
		assert.Equal(t, nth(2), tokenOf(t, stored(t, dir, source)))
	})
}

func TestADueTokenIsReplacedByWhoeverComesFirst(t *testing.T) {
	for life, window := range map[time.Duration]time.Duration{time.Hour: 10 * time.Second, 15 * time.Second: 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			dir, source := newFolder(t), newIssuer(life)
			tokenOf(t, stored(t, dir, source))
			time.Sleep(life - window - time.Millisecond)
			assert.Equal(t, nth(1), tokenOf(t, stored(t, dir, source)))
			time.Sleep(time.Millisecond)
			assert.Equal(t, nth(2), tokenOf(t, stored(t, dir, source)))
			assert.Equal(t, nth(2), tokenOf(t, stored(t, dir, source)))
		})
	}
}

func TestADueTokenIsReturnedIfNoOtherCanBeHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, source := newFolder(t), newIssuer(time.Minute)
		source.before = func(_ context.Context, n int64) error {
			if n > 1 {
				return errors.New("the issuer is down")
			}
			return nil
		}
		s := stored(t, dir, source)
		end := time.Now().Add(time.Minute)
		tokenOf(t, s)
		for _, left := range []time.Duration{10 * time.Second, time.Second, time.Millisecond} {
			time.Sleep(time.Until(end) - left)
			assert.Equal(t, nth(1), tokenOf(t, s))
		}
		time.Sleep(time.Millisecond)
		_, err := s.Token(t.Context(), nil)
		assert.EqualError(t, err, "the issuer is down")
	})
}

func TestWhileOneRunRenewsATokenTheOthersGetTheOldOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, source := newFolder(t), newIssuer(time.Minute)
		source.before = func(_ context.Context, n int64) error {
			if n == 2 {
				time.Sleep(400 * time.Millisecond)
			}
			return nil
		}
		tokenOf(t, stored(t, dir, source))
		time.Sleep(51 * time.Second)
		go func() { assert.Equal(t, nth(2), tokenOf(t, stored(t, dir, source))) }()
		synctest.Wait()
		began := time.Now()
		assert.Equal(t, nth(1), tokenOf(t, stored(t, dir, source)))
		assert.Zero(t, time.Since(began))
		time.Sleep(6 * time.Second)
		assert.Equal(t, nth(2), tokenOf(t, stored(t, dir, source)))
	})
}

// The issuer hangs, and the request has little time and a token that is good.
func TestAGoodTokenIsReturnedWhileTheIssuerHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, source := newFolder(t), newIssuer(time.Minute)
		ended := make(chan time.Time, 1)
		source.before = func(ctx context.Context, n int64) error {
			if n == 2 {
				<-ctx.Done()
				ended <- time.Now()
				return ctx.Err()
			}
			return nil
		}
		s := stored(t, dir, source)
		tokenOf(t, s)
		time.Sleep(57 * time.Second)
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		token, err := s.Token(ctx, nil)
		require.NoError(t, err)
		assert.Equal(t, nth(1), token.Value)
		assert.Equal(t, 500*time.Millisecond, time.Since(began))
		assert.Equal(t, nth(1), tokenOf(t, s))
		assert.Equal(t, 500*time.Millisecond, time.Since(began), "the next call does not wait")
		assert.Equal(t, 10500*time.Millisecond, (<-ended).Sub(began), "the fetch has its timeout")
	})
}

func TestARenewalThatTakesLongIsKeptForTheNextCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, source := newFolder(t), newIssuer(time.Minute)
		source.before = func(ctx context.Context, n int64) error {
			if n == 2 {
				time.Sleep(time.Second)
			}
			return ctx.Err()
		}
		s := stored(t, dir, source)
		tokenOf(t, s)
		time.Sleep(55 * time.Second)
		assert.Equal(t, nth(1), tokenOf(t, s))
		time.Sleep(time.Second)
		assert.Equal(t, nth(2), tokenOf(t, stored(t, dir, source)))
		assert.EqualValues(t, 2, source.fetches.Load())
	})
}

func TestATokenIsNotReturnedInItsLastMomentForWantOfPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, source := newFolder(t), newIssuer(time.Minute)
		source.before = func(context.Context, int64) error {
			time.Sleep(2 * time.Second)
			return nil
		}
		s := stored(t, dir, source)
		tokenOf(t, s)
		time.Sleep(58*time.Second + 800*time.Millisecond) // it may be returned for 200 ms more
		began := time.Now()
		assert.Equal(t, nth(1), tokenOf(t, s))
		assert.Equal(t, 200*time.Millisecond, time.Since(began).Round(time.Millisecond))
		time.Sleep(2 * time.Second) // the renewal's end
	})
}

func TestASourceThatPanicsInARenewalCostsNoRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, source := newFolder(t), newIssuer(time.Minute)
		source.before = func(_ context.Context, n int64) error {
			if n == 2 {
				panic("secret")
			}
			return nil
		}
		s := stored(t, dir, source)
		tokenOf(t, s)
		time.Sleep(55 * time.Second)
		assert.Equal(t, nth(1), tokenOf(t, s))
		assert.Equal(t, nth(3), tokenOf(t, s), "the lock was given up")
	})
}

func TestATokenThatArrivesLateInItsLifeIsNotDueAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, source := newFolder(t), newIssuer(9*time.Second)
		for range 3 {
			assert.Equal(t, nth(1), tokenOf(t, stored(t, dir, source)))
		}
	})
}

func TestAFileFromTheFutureIsAMiss(t *testing.T) {
	dir, source := newFolder(t), newIssuer(time.Hour)
	tokenOf(t, stored(t, dir, source))
	synctest.Test(t, func(t *testing.T) { // in which it is the year 2000
		assert.Equal(t, nth(2), tokenOf(t, stored(t, dir, source)))
		assert.Equal(t, nth(2), tokenOf(t, stored(t, dir, source)))
	})
}

func TestWhoWaitsTooLongFetchesForItself(t *testing.T) {
	dir, source := newFolder(t), newIssuer(time.Hour)
	const timeout = 100 * time.Millisecond
	s := stored(t, dir, source, filetokens.WithFetchTimeout(timeout))
	tokenOf(t, s)
	require.NoError(t, os.Remove(theFile(t, dir)))
	lock := files(t, dir, ".lock")
	require.Len(t, lock, 1)
	another := flock.New(lock[0])
	require.NoError(t, another.Lock())

	began := time.Now()
	assert.Equal(t, nth(2), tokenOf(t, s))
	assert.GreaterOrEqual(t, time.Since(began), timeout)
	assert.Empty(t, files(t, dir, ".token"), "the lock is not this one's")
	require.NoError(t, another.Close())
	assert.Equal(t, nth(3), tokenOf(t, s))
	assert.Equal(t, nth(3), tokenOf(t, s))
}

func TestACallerWhoLeavesDoesNoHarmToTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newIssuer(time.Hour)
		source.before = func(ctx context.Context, _ int64) error {
			time.Sleep(5 * time.Second)
			return ctx.Err()
		}
		s := stored(t, newFolder(t), source)
		why := errors.New("the user went away")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, why)
		defer cancel()
		go func() {
			_, err := s.Token(ctx, nil)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.ErrorIs(t, err, why)
		}()
		synctest.Wait()
		assert.Equal(t, nth(1), tokenOf(t, s))
		assert.EqualValues(t, 1, source.fetches.Load())
	})
}

func TestATokenThatIsNotToBeKeptIsReturnedAndNotWritten(t *testing.T) {
	for name, token := range map[string]routeauth.Token{
		"without an end": {Value: "opaque"},
		"ended":          {Value: "opaque", Expiry: time.Now().Add(-time.Second)},
		"ill-formed":     {Value: "two\nlines", Expiry: time.Now().Add(time.Hour)},
		"empty":          {Expiry: time.Now().Add(time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newFolder(t)
			s := stored(t, dir, routeauth.TokenSourceFunc(func(context.Context, routeauth.Params) (routeauth.Token, error) {
				return token, nil
			}))
			assert.Equal(t, token.Value, tokenOf(t, s))
			assert.Empty(t, files(t, dir, ".token"))
		})
	}
}

// server401 rejects the tokens that it is told to.
type server401 map[string]bool

func (s server401) RoundTrip(req *http.Request) (*http.Response, error) {
	status := http.StatusOK
	if s[strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")] {
		status = http.StatusUnauthorized
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
}

func TestARejectedTokenOutOfAFileIsReplacedForTheSameRequest(t *testing.T) {
	dir, source := newFolder(t), newIssuer(time.Hour)
	tokenOf(t, stored(t, dir, source))
	cache, err := routeauth.NewTokenCache(stored(t, dir, source))
	require.NoError(t, err)
	transport, err := routeauth.NewJWTTransport(cache, server401{string(nth(1)): true})
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example.com/", nil)
	require.NoError(t, err)
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Equal(t, nth(2), tokenOf(t, stored(t, dir, source)))
}

func TestDiscardRemovesTheRejectedTokenAndNoOther(t *testing.T) {
	dir, source := newFolder(t), newIssuer(time.Hour)
	s := stored(t, dir, source)
	tokenOf(t, s)
	s.Discard(t.Context(), nil, "another token")
	s.Discard(t.Context(), routeauth.Params{"image": "1"}, nth(1))
	s.Discard(routeauth.ContextWithIdentity(t.Context(), "a"), nil, nth(1))
	assert.Len(t, files(t, dir, ".token"), 1)
	s.Discard(t.Context(), nil, nth(1))
	assert.Empty(t, files(t, dir, ".token"))
}

func TestARejectedTokenIsNeverTakenFromAFileAgain(t *testing.T) {
	dir, source := newFolder(t), newIssuer(time.Hour)
	s := stored(t, dir, source)
	tokenOf(t, s)
	lock := flock.New(files(t, dir, ".lock")[0])
	require.NoError(t, lock.Lock()) // another process has it, and Discard does not wait for ever
	s.Discard(t.Context(), nil, nth(1))
	require.NoError(t, lock.Close())
	require.Len(t, files(t, dir, ".token"), 1)
	assert.Equal(t, nth(2), tokenOf(t, s))
	assert.Equal(t, nth(2), tokenOf(t, stored(t, dir, source)))
}

func TestDiscardGoesOnToASourceThatIsADiscarder(t *testing.T) {
	cache, err := routeauth.NewTokenCache(newIssuer(time.Hour))
	require.NoError(t, err)
	s := stored(t, newFolder(t), cache)
	require.Equal(t, nth(1), tokenOf(t, s))
	s.Discard(t.Context(), nil, nth(1))
	assert.Equal(t, nth(2), tokenOf(t, s))
}

func TestFormattingASourceShowsNoSecret(t *testing.T) {
	s := stored(t, newFolder(t), newIssuer(time.Hour))
	tokenOf(t, s)
	var printed strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&printed, verb+"\n", s)
		fmt.Fprintf(&printed, verb+"\n", *s)
	}
	marshalled, err := json.Marshal(struct{ Source *filetokens.Source }{s})
	require.NoError(t, err)
	printed.Write(marshalled)
	assert.NotContains(t, printed.String(), "secret-token")
}

func TestAZeroSourceFailsForGood(t *testing.T) {
	var zero filetokens.Source
	for _, s := range []*filetokens.Source{&zero, nil} {
		_, err := s.Token(t.Context(), nil)
		assert.ErrorContains(t, err, "not made by New")
		s.Discard(t.Context(), nil, "token")
	}
}
