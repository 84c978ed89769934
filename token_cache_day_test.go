package routeauth_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	dayHours    = flag.Int("day.hours", 2, "how long the day of TestADayOfAService is")
	dayReplicas = flag.Int("day.replicas", 10, "how many replicas it has")
)

const (
	dayUsers   = 40
	dayCallers = 3 // of each replica
	dayThink   = 5 * time.Second

	keyRotations = 2

	outage       = 10 * time.Minute
	fetchTimeout = 30 * time.Second // the defaults of a TokenCache
	failurePause = 5 * time.Second
	minRemaining = time.Second
)

// Rules 19 to 24, all together: a service of several replicas and many users, half
// of whose tokens are JWTs that live for a minute and half opaque ones that live
// for an hour. The issuer is down twice, once refusing and once hanging, all
// tokens are revoked once an hour, and the service's own key, in a file, is
// replaced twice. No request fails that need not, nobody is sent somebody else's
// token, and little more is fetched than has to be.
//
// A whole day of a large service takes some minutes:
//
//	go test -run TestADayOfAService -v -timeout 1h . -day.hours 24 -day.replicas 200
func TestADayOfAService(t *testing.T) {
	t.Parallel()
	hours, replicas := *dayHours, *dayReplicas
	if testing.Short() || withRaceDetector() {
		replicas = min(replicas, 2)
	}
	synctest.Test(t, func(t *testing.T) {
		d := newDay(t, time.Duration(hours)*time.Hour, replicas)
		var running sync.WaitGroup
		var fleet []*replica
		for n := range replicas {
			r := d.newReplica(t, n)
			fleet = append(fleet, r)
			for n := range dayCallers {
				random := rand.New(rand.NewPCG(uint64(r.number), uint64(n)))
				running.Go(func() { r.call(t, random) })
			}
		}
		running.Go(func() {
			for advance(25 * time.Minute); time.Now().Before(d.end); advance(time.Hour) {
				d.revokeAll()
			}
		})
		running.Go(func() {
			for n := range keyRotations {
				advance(d.end.Sub(d.begin) / (keyRotations + 1))
				for _, r := range fleet {
					running.Go(func() { r.callWithKey(t) }) // which is on its way meanwhile
				}
				synctest.Wait()
				d.rotateKey(t, n+2)
			}
		})
		running.Wait()
		advance(fetchTimeout) // what is still being fetched

		t.Logf("%d h, %d replicas, %d users", hours, replicas, dayUsers)
		t.Logf("requests: %d, of which sent once more: %d", d.requests, d.sentAgain)
		t.Logf("failed for want of an issuer: %d, revoked on their way: %d", d.failed.noIssuer, d.failed.revoked)
		t.Logf("fetches: %d, the least: %d, ratio %.3f (the least with tokens used to their end: %d, ratio %.3f)",
			d.fetches, d.least, float64(d.fetches)/float64(d.least),
			d.leastToTheEnd, float64(d.fetches)/float64(d.leastToTheEnd))
		t.Logf("fetches in vain: %d, at most %d for one user of a replica in an outage", d.inVain, d.mostInVain())
		for _, fault := range d.faults[:min(len(d.faults), 10)] {
			t.Log(fault)
		}
		assert.Zero(t, len(d.faults), "requests that failed and should not have")
		assert.Zero(t, d.foreign, "tokens of somebody else")
		assert.LessOrEqual(t, float64(d.fetches), 1.1*float64(d.least))
		assert.LessOrEqual(t, d.mostInVain(), 10+int(outage/(failurePause*4/5)))
		assert.NotZero(t, d.failed.noIssuer, "there was an outage")
		assert.NotZero(t, d.sentAgain, "there was a revocation")
		assert.NotZero(t, d.sentWithNewKey, "there was a rotation")
	})
}

// day is the world of the service: the issuer, the API, and what they see.
type day struct {
	begin, end time.Time
	outages    [2]time.Time // when they begin

	keyFile string

	mu      sync.Mutex
	revoked time.Time // the last time
	tokens  map[string]*issued
	keys    [][dayUsers]dayKey // by replica
	key     string             // the service's own, which the API accepts

	requests, sentAgain, sentWithNewKey, foreign int
	failed                                       struct{ noIssuer, revoked int }
	faults                                       []string

	fetches, inVain      int
	least, leastToTheEnd int
}

// dayKey is what is known of a replica's token for a user.
type dayKey struct {
	latest *issued
	inVain [2]int // fetches, by outage

	// Until when a token would do that was fetched only when it had to be.
	until, untilTheEnd time.Time
}

// issued is a token, as the API knows it.
type issued struct {
	owner   string
	at, end time.Time
}

func newDay(t *testing.T, length time.Duration, replicas int) *day {
	d := &day{
		keyFile: filepath.Join(t.TempDir(), "key"),
		begin:   time.Now(),
		end:     time.Now().Add(length),
		tokens:  make(map[string]*issued),
		keys:    make([][dayUsers]dayKey, replicas),
	}
	d.outages = [2]time.Time{d.begin.Add(length / 3), d.begin.Add(length * 2 / 3)}
	d.rotateKey(t, 1)
	return d
}

// rotateKey replaces the file of the service's key. From then on the API rejects
// the old one.
func (d *day) rotateKey(t *testing.T, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.key = fmt.Sprint("key ", n)
	next := d.keyFile + ".next"
	require.NoError(t, os.WriteFile(next, []byte(d.key+"\n"), 0o600))
	require.NoError(t, os.Rename(next, d.keyFile))
}

// outageAt returns which outage there is.
func (d *day) outageAt(at time.Time) (n int, down bool) {
	for n, begin := range d.outages {
		if !at.Before(begin) && at.Before(begin.Add(outage)) {
			return n, true
		}
	}
	return 0, false
}

// noIssuer reports whether there was a time at which no token could be fetched. A
// fetch that began in an outage hangs until its timeout, and then the source is
// left alone.
func (d *day) noIssuer(from, to time.Time) bool {
	for _, begin := range d.outages {
		if to.After(begin) && from.Before(begin.Add(outage+fetchTimeout+failurePause)) {
			return true
		}
	}
	return false
}

func (d *day) revokeAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.revoked = time.Now()
	for _, users := range d.keys {
		for n := range users {
			users[n].until, users[n].untilTheEnd = time.Time{}, time.Time{}
		}
	}
}

func (d *day) mostInVain() (most int) {
	for _, users := range d.keys {
		for _, key := range users {
			most = max(most, key.inVain[0], key.inVain[1])
		}
	}
	return most
}

// lifeOf returns how long a user's tokens live, and whether they are JWTs.
func lifeOf(user int) (life time.Duration, isJWT bool) {
	if user%2 == 0 {
		return time.Minute, true
	}
	return time.Hour, false
}

// issue is the issuer. It is down in two ways: first it refuses, and then it
// hangs.
func (d *day) issue(ctx context.Context, replica int) (routeauth.Token, error) {
	user, err := strconv.Atoi(routeauth.IdentityFromContext(ctx))
	if err != nil {
		return routeauth.Token{}, err
	}
	if n, down := d.outageAt(time.Now()); down {
		d.mu.Lock()
		d.inVain++
		d.keys[replica][user].inVain[n]++
		d.mu.Unlock()
		if n == 1 {
			<-ctx.Done()
		}
		return routeauth.Token{}, errors.New("the issuer is down")
	}
	advance(20*time.Millisecond + rand.N(200*time.Millisecond))

	d.mu.Lock()
	defer d.mu.Unlock()
	d.fetches++
	life, isJWT := lifeOf(user)
	at := time.Now()
	value := fmt.Sprintf("opaque.%d", d.fetches)
	var expiry time.Time
	if isJWT {
		at = at.Truncate(time.Second)
		value = unsigned(`{"alg":"HS256"}`, fmt.Sprintf(`{"iat":%d,"exp":%d,"jti":"%d"}`, at.Unix(), at.Add(life).Unix(), d.fetches), "c2ln")
	} else {
		expiry = at.Add(life)
	}
	token := &issued{strconv.Itoa(user), time.Now(), at.Add(life)}
	d.keys[replica][user].latest = token
	d.tokens[value] = token
	if d.fetches%10_000 == 0 {
		for value, token := range d.tokens {
			if time.Since(token.end) > time.Minute {
				delete(d.tokens, value)
			}
		}
	}
	return routeauth.Token{Value: routeauth.Secret(value), Expiry: expiry}, nil
}

// arrive is the way of a request to the API.
func arrive(req *http.Request) {
	advance(rand.N(800 * time.Millisecond))
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		_ = req.Body.Close()
	}
	*req.Context().Value(timesSent{}).(*int)++
}

// serveKey is the part of the API that takes the service's own key.
func (d *day) serveKey(req *http.Request) (*http.Response, error) {
	arrive(req)
	d.mu.Lock()
	defer d.mu.Unlock()
	if req.Header.Get(routeauth.HeaderAPIKey) != d.key {
		return answer(req, http.StatusUnauthorized, ""), nil
	}
	return answer(req, http.StatusOK, ""), nil
}

// serve is the API. It looks at the token when the request has arrived.
func (d *day) serve(req *http.Request) (*http.Response, error) {
	arrive(req)
	status := http.StatusUnauthorized
	d.mu.Lock()
	defer d.mu.Unlock()
	token := d.tokens[strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")]
	switch {
	case token == nil:
		d.faults = append(d.faults, "a token that ended long ago")
	case token.owner != req.Header.Get("X-User"):
		d.foreign++
	case !time.Now().Before(token.end):
		// Sent in its last moments, for want of another.
		if now := time.Now(); !d.noIssuer(now.Add(-time.Second), now) {
			d.faults = append(d.faults, "a token ended on its way")
		}
	case token.at.After(d.revoked):
		status = http.StatusOK
	}
	return answer(req, status, ""), nil
}

// timesSent is the key under which a request's context counts how often the API
// got it.
type timesSent struct{}

// replica is a process of the service.
type replica struct {
	*day
	number    int
	transport *routeauth.JWTTransport
	withKey   *routeauth.HeaderTransport
}

func (d *day) newReplica(t *testing.T, number int) *replica {
	source := routeauth.TokenSourceFunc(func(ctx context.Context, _ routeauth.Params) (routeauth.Token, error) {
		return d.issue(ctx, number)
	})
	key, err := routeauth.NewFileSecretSource(d.keyFile)
	require.NoError(t, err)
	withKey, err := routeauth.NewHeaderSourceTransport(routeauth.SchemeAPIKey, routeauth.HeaderAPIKey, "", key, roundTripFunc(d.serveKey))
	require.NoError(t, err)
	return &replica{d, number, newJWTTransport(t, newCache(t, source), roundTripFunc(d.serve)), withKey}
}

// call sends requests until the day ends. A few users make most of them.
func (r *replica) call(t *testing.T, random *rand.Rand) {
	popular := rand.NewZipf(random, 1.1, 1, dayUsers-1)
	for {
		advance(time.Duration(random.Int64N(int64(2 * dayThink))))
		if time.Now().After(r.end) {
			return
		}
		user := int(popular.Uint64())
		method, body := http.MethodGet, ""
		kind := random.IntN(10)
		if kind < 4 {
			method, body = http.MethodPost, "body"
		}
		req := newRequest(t, method, endpoint, body)
		if kind == 0 {
			req.GetBody = nil // a stream
		}
		times := 0
		req = req.WithContext(context.WithValue(as(t, strconv.Itoa(user)), timesSent{}, &times))
		if kind == 1 {
			r.callWithKey(t)
			continue
		}
		req.Header.Set("X-User", strconv.Itoa(user))
		asked := r.ask(user)
		_, err := r.transport.RoundTrip(req)
		r.judge(user, req, asked, times, err)
	}
}

// callWithKey sends a request with the service's own key. None has to fail.
func (r *replica) callWithKey(t *testing.T) {
	times := 0
	req := newRequest(t, http.MethodPost, endpoint, "body")
	req = req.WithContext(context.WithValue(t.Context(), timesSent{}, &times))
	_, err := r.withKey.RoundTrip(req)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	if times == 2 {
		r.sentWithNewKey++
	}
	if err != nil {
		r.faults = append(r.faults, fmt.Sprintf("with a key: %v", err))
	}
}

// ask counts a request, and the fetch for it if there has to be one. The least
// that does is one fetch for the first request after a token was due to be
// replaced, when the issuer is not down.
func (r *replica) ask(user int) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	now := time.Now()
	if _, down := r.outageAt(now); down {
		return now
	}
	key := &r.keys[r.number][user]
	life, _ := lifeOf(user)
	if !now.Before(key.until) {
		r.least++
		key.until = now.Add(life - min(10*time.Second, life/3))
	}
	if !now.Before(key.untilTheEnd) {
		r.leastToTheEnd++
		key.untilTheEnd = now.Add(life - minRemaining)
	}
	return now
}

// judge decides whether a request that failed had to.
func (r *replica) judge(user int, req *http.Request, asked time.Time, times int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if times == 2 {
		r.sentAgain++
	}
	if err == nil {
		return
	}
	now := time.Now()
	latest := r.keys[r.number][user].latest
	isStream := req.Body != nil && req.GetBody == nil
	fetchedForIt := latest != nil && latest.at.After(asked)
	isGood := latest != nil && latest.at.After(r.revoked) && latest.end.After(now)
	// Both tokens of a request may be revoked: one that was held, and one that had
	// just been renewed in its place. A request is sent twice at most (rule 24).
	bothRevoked := latest != nil && r.revoked.After(latest.at) && (fetchedForIt || times == 2)
	switch {
	case errors.Is(err, routeauth.ErrUnauthorized) && (isStream || bothRevoked):
		r.failed.revoked++
	case !isGood && r.noIssuer(asked, now):
		r.failed.noIssuer++
	default:
		r.faults = append(r.faults, fmt.Sprintf("%v after the beginning, user %d: %v", now.Sub(r.begin), user, err))
	}
}
