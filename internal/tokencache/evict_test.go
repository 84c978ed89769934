package tokencache

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rule 22: whatever arrives, is used, is dropped and ends, a cache holds the
// tokens that a list holds which is searched from end to end.
func TestEvictionAgreesWithAListThatIsSearched(t *testing.T) {
	const limit = 20
	c := newCache(living(0), func(config *Config) { config.MaxTokens = limit })
	type held struct {
		key string
		end time.Time
	}
	var list []held // the least recently used one first
	random := rand.New(rand.NewPCG(1, 2))
	now := time.Now()
	for range 5_000 {
		now = now.Add(time.Duration(random.IntN(1_000_000_000)))
		key := strconv.Itoa(random.IntN(60))
		at := slices.IndexFunc(list, func(h held) bool { return h.key == key })
		used := held{key, now.Add(time.Duration(1 + random.Int64N(60_000_000_000)))}
		drop := random.IntN(10) == 0
		if at >= 0 {
			if list[at].end.After(now) {
				used = list[at]
			}
			list = slices.Delete(list, at, at+1)
		}
		switch e := c.entries[key]; {
		case at >= 0 && drop:
			c.remove(e)
		case at >= 0 && e.alive(now):
			e.use(&c.uses)
			list = append(list, used)
		default:
			c.add(key, newEntry(c.config, Token{Value: key, Expiry: used.end}, now, now), now)
			if list = append(list, used); len(list) > limit {
				list = slices.DeleteFunc(list, func(h held) bool { return !h.end.After(now) })
			}
			list = list[max(0, len(list)-limit):]
		}
		if len(c.entries) != len(list) || len(c.byEnd.entries) != len(list) || len(c.byUse.entries) != len(list) {
			require.Fail(t, "not as many")
		}
		for _, h := range list {
			if e := c.entries[h.key]; e == nil || !e.lifetime.end.Equal(h.end) {
				require.Fail(t, "another one was dropped")
			}
		}
	}
	assert.NotZero(t, c.Stats().Evictions)
}

// Rule 22: tokens that end all the time, in a cache that is full all the time,
// are no reason to look at all the others each time.
func TestAFullCacheTakesATokenWithoutLookingAtAllOthers(t *testing.T) {
	const limit = 1000
	c := newCache(living(0), func(config *Config) { config.MaxTokens = limit })
	var compared int
	for _, h := range []*entryHeap{&c.byEnd, &c.byUse} {
		less := h.less
		h.less = func(a, b *Entry) bool { compared++; return less(a, b) }
	}
	random := rand.New(rand.NewPCG(3, 4))
	now := time.Now()
	for i := range 4 * limit {
		now = now.Add(time.Millisecond)
		life := time.Duration(random.IntN(4*limit)) * time.Millisecond
		c.add(strconv.Itoa(i), newEntry(c.config, Token{Value: "t", Expiry: now.Add(life)}, now, now), now)
	}
	require.Len(t, c.entries, limit)
	assert.Less(t, compared, 4*limit*60)
}
