package tokencache

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// clock is a pair of clocks that can disagree, which those of a synctest bubble
// cannot.
type clock struct{ now time.Time }

func newClock(t testing.TB) *clock {
	c := &clock{time.Now()}
	before := c.now
	c.jump(time.Hour)
	require.Zero(t, c.now.Sub(before), "the layout of time.Time is another one")
	require.Equal(t, time.Hour, c.now.Round(0).Sub(before.Round(0)), "the layout of time.Time is another one")
	c.jump(-time.Hour)
	require.Equal(t, before, c.now, "the layout of time.Time is another one")
	return c
}

// pass lets time pass on both clocks.
func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

// jump sets the wall clock, and lets no time pass on the monotonic one. That is
// also what a machine sees that slept.
func (c *clock) jump(d time.Duration) {
	type layout struct { // of time.Time
		wall      uint64
		monotonic int64
		loc       *time.Location
	}
	monotonic := (*layout)(unsafe.Pointer(&c.now)).monotonic
	c.now = c.now.Add(d)
	(*layout)(unsafe.Pointer(&c.now)).monotonic = monotonic
}

// jwtFor returns a JWT with an iat and an exp, counted in seconds from now on.
func jwtFor(now time.Time, iat, exp float64) Token {
	seconds := float64(now.UnixNano()) / 1e9
	claims := fmt.Sprintf(`{"iat":%f,"exp":%f}`, seconds+iat, seconds+exp)
	encode := base64.RawURLEncoding.EncodeToString
	return Token{Value: encode([]byte(`{"alg":"HS256"}`)) + "." + encode([]byte(claims)) + ".c2ln"}
}

// Rule 19: a clock that was right when the token came ends the token, whichever
// of the two says so first. A clock that was wrong is not asked again.
func TestEntriesEndByWhicheverClockIsFirst(t *testing.T) {
	const day = 24 * 60 * 60
	type step struct {
		pass, jump time.Duration
		alive      bool
	}
	tests := []struct {
		name     string
		iat, exp float64
		steps    []step
	}{
		{"nothing happens", -10, 50, []step{{0, 0, true}, {49 * time.Second, 0, true}, {2 * time.Second, 0, false}}},
		{"the machine slept", -10, 50, []step{{time.Second, 48 * time.Second, true}, {0, 2 * time.Second, false}}},
		{"the machine slept for a day", -10, 50, []step{{0, day * time.Second, false}}},
		{"the wall clock is set forward", -10, 50, []step{{0, 40 * time.Second, true}, {11 * time.Second, 0, false}}},
		{"the wall clock is set back", -10, 50, []step{{0, -time.Hour, true}, {49 * time.Second, 0, true}, {2 * time.Second, 0, false}}},
		{"the wall clock is set back, then the machine slept", -10, 50, []step{{0, -time.Minute, true}, {0, 109 * time.Second, true}, {0, 2 * time.Second, false}}},
		{"the clock was fast and is set right", -10 - day, 50 - day, []step{{0, 0, true}, {time.Second, -day * time.Second, true}, {58 * time.Second, 0, true}, {2 * time.Second, 0, false}}},
		{"the clock was slow and is set right", -10 + day, 50 + day, []step{{0, 0, true}, {time.Second, day * time.Second, true}, {58 * time.Second, 0, true}, {2 * time.Second, 0, false}}},
		{"the clock was slow and is set beyond the exp", -10 + day, 50 + day, []step{{time.Second, 2 * day * time.Second, true}, {60 * time.Second, 0, false}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newClock(t)
			e := newEntry(Config{}, jwtFor(c.now, test.iat, test.exp), c.now, c.now)
			for i, step := range test.steps {
				c.pass(step.pass)
				c.jump(step.jump)
				assert.Equal(t, step.alive, e.alive(c.now), "step %d", i)
			}
		})
	}
}

// Rule 19: an Expiry is on this machine's wall clock when the token arrives, and
// counted on both clocks from then on.
func TestAnExpiryIsReachedByWhicheverClockIsFirst(t *testing.T) {
	for name, test := range map[string]struct {
		pass, jump time.Duration
		alive      bool
	}{
		"nothing happens":             {59 * time.Second, 0, true},
		"its time has passed":         {time.Minute, 0, false},
		"the machine slept":           {time.Second, 59 * time.Second, false},
		"the wall clock is set back":  {59 * time.Second, -time.Hour, true},
		"it is set back, and in vain": {time.Minute, -time.Hour, false},
	} {
		c := newClock(t)
		token := Token{Value: "opaque", Expiry: c.now.Add(time.Minute)}
		e := newEntry(Config{}, token, c.now, c.now)
		c.pass(test.pass)
		c.jump(test.jump)
		assert.Equal(t, test.alive, e.alive(c.now), name)
	}
}

// Rule 19: of an Expiry and an exp the first one counts, on each clock.
func TestOfExpiryAndExpTheFirstOneCounts(t *testing.T) {
	const day = 24 * time.Hour
	for name, test := range map[string]struct {
		iat, exp float64 // in seconds from now on
		expiry   time.Duration
		end      time.Duration
		jumped   bool // whether it is alive after the wall clock was set forward by 50 seconds
	}{
		"Expiry":                    {-10, 60, 40 * time.Second, 40 * time.Second, false},
		"exp":                       {-10, 40, 60 * time.Second, 40 * time.Second, false},
		"Expiry long after exp":     {-10, 55, day, 55 * time.Second, true},
		"exp long after Expiry":     {-10, 86400, 55 * time.Second, 55 * time.Second, true},
		"a wrong clock, Expiry":     {86400, 86460, 40 * time.Second, 40 * time.Second, false},
		"a wrong clock, exp":        {86400, 86440, 60 * time.Second, 40 * time.Second, true},
		"a wrong clock, both close": {86400, 86440, 45 * time.Second, 40 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClock(t)
			token := jwtFor(c.now, test.iat, test.exp)
			token.Expiry = c.now.Add(test.expiry)
			e := newEntry(Config{}, token, c.now, c.now)
			assert.InDelta(t, test.end, e.ttl(c.now), float64(time.Millisecond))
			assert.InDelta(t, test.end, e.Expiry().Sub(c.now.Round(0)), float64(time.Millisecond))
			c.jump(50 * time.Second)
			assert.Equal(t, test.jumped, e.alive(c.now))
		})
	}
}

// Rule 19: a wrong clock at the fetch is judged when the token arrives, and its
// life is counted from when it was asked for.
func TestEntriesOfAWrongClockAreAsOldAsTheirFetch(t *testing.T) {
	c := newClock(t)
	token := jwtFor(c.now, 3600, 3660)
	began := c.now
	c.pass(20 * time.Second)
	e := newEntry(Config{}, token, began, c.now)
	c.jump(-5 * time.Hour)
	c.pass(39 * time.Second)
	assert.True(t, e.alive(c.now))
	c.pass(2 * time.Second)
	assert.False(t, e.alive(c.now))
}

// FuzzLifetime checks rule 19 for any text as a token: it makes no panic, and
// what is kept is a JWT that says when it ends and is not kept for longer.
func FuzzLifetime(f *testing.F) {
	// The clock stands at 1000000000.
	for _, claims := range []string{
		`{"iat":999999990,"exp":1000000060}`, `{"exp":1000000060}`, `{"iat":1000000000,"exp":1000000060}`,
		`{"iat":2000000000,"exp":2000000060}`, `{"iat":0,"exp":60}`, `{"iat":1,"exp":253402300799}`, `{"exp":1e9}`,
		`{"iat":1000000000.25,"exp":1000000000.75}`, `{"iat":60,"exp":60}`, `{"iat":60,"exp":0}`, `{"iat":-60,"exp":60}`,
		`{"exp":"1000000060"}`, `{"exp":null}`, `{"exp":[1000000060]}`, `{"iat":null,"exp":1000000060}`, `{"exp":1e309}`,
		`{"exp":999999999999999999999}`, `{"exp":1,"exp":1000000060}`, `{}`, `[]`, `null`, ``, `{"iat":999999999.9999999,"exp":1000000060}`,
	} {
		f.Add(`{"alg":"HS256","typ":"JWT"}`, claims, "c2ln", false)
		f.Add(`{"alg":"XX999"}`, claims, "", false)
		f.Add(`{}`, claims, "!", false)
	}
	f.Add("eyJhbGciOiJIUzI1NiJ9", "eyJleHAiOjQwMDAwMDAwMDB9", "c2ln", true)
	f.Add("a", "b", "c.d", true)
	f.Fuzz(func(t *testing.T, header, claims, signature string, asItIs bool) {
		if !asItIs {
			header = base64.RawURLEncoding.EncodeToString([]byte(header))
			claims = base64.RawURLEncoding.EncodeToString([]byte(claims))
		}
		token := Token{Value: header + "." + claims + "." + signature}
		now := time.Unix(1_000_000_000, 0)
		began := now.Add(-2 * time.Second)
		e := newEntry(Config{Prefix: "Bearer ", RefreshBefore: 10 * time.Second, MinRemaining: time.Second}, token, began, now)
		if e.lifetime.end.IsZero() {
			return
		}
		end := endOf(t, claims, began, now)
		const rounding = time.Microsecond // of claims to floats
		require.False(t, e.alive(end.Add(rounding)), "end %v", end)
		life := end.Sub(now)
		if iat, exp, _ := claimsOf(token.Value); !iat.IsZero() {
			life = exp.Sub(iat)
		}
		require.LessOrEqual(t, e.window, max(0, life/3+rounding), "it is replaced in the last third")
		require.LessOrEqual(t, e.minRemaining, max(0, life/10+rounding), "it is returned in the first nine tenths")
		require.Equal(t, "Bearer "+token.Value, *e.Authorization())
		require.Equal(t, token.Value, e.Value())
	})
}

// endOf returns when a token with these claims has to end, by rule 19.
func endOf(t *testing.T, segment string, began, now time.Time) time.Time {
	text, err := base64.RawURLEncoding.DecodeString(segment)
	require.NoError(t, err)
	var claims map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&claims))
	exp := instant(t, claims["exp"])
	if claims["iat"] == nil {
		return exp
	}
	iat := instant(t, claims["iat"])
	require.True(t, exp.After(iat))
	if now.Before(iat) || !now.Before(exp) {
		return began.Add(exp.Sub(iat))
	}
	return exp
}

// instant returns the time that a claim is, computed without floats.
func instant(t *testing.T, claim any) time.Time {
	number, ok := claim.(json.Number)
	require.True(t, ok, "%v is no number", claim)
	if approximately, err := number.Float64(); err == nil && approximately == 0 {
		return time.Unix(0, 0) // and a power of ten that is too large for exact numbers
	}
	seconds, ok := new(big.Rat).SetString(number.String())
	require.True(t, ok)
	nanoseconds := new(big.Int).Quo(new(big.Int).Mul(seconds.Num(), big.NewInt(1e9)), seconds.Denom())
	whole, rest := new(big.Int).DivMod(nanoseconds, big.NewInt(1e9), new(big.Int))
	require.True(t, whole.IsInt64(), fmt.Sprint(claim))
	return time.Unix(whole.Int64(), rest.Int64())
}

func TestATokensTotalIsFromItsBeginningToItsEnd(t *testing.T) {
	now := time.Now()
	life := LifetimeOf(Token{Value: "opaque", Expiry: now.Add(time.Minute)}, now, now)
	assert.InDelta(t, time.Minute, life.Total(), float64(time.Millisecond))
	unknown := LifetimeOf(Token{Value: "opaque"}, now, now)
	assert.Zero(t, unknown.Total())
}
