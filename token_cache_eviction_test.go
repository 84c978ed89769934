package routeauth_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rule 22: over the limit the token goes that was not used for the longest
// time, and only that one.
func TestCacheDropsTheLeastRecentlyUsedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 8
		source := sourceLiving(t, time.Hour)
		cache := newCache(t, source, routeauth.WithMaxTokens(limit))
		for i := range limit {
			tokenFor(t, cache, user(i))
		}
		require.Equal(t, limit, source.count())
		order := []int{3, 1, 7, 5, 0, 2, 6, 4} // of the last use
		for _, i := range order {
			tokenFor(t, cache, user(i))
			tokenFor(t, cache, user(i))
		}
		require.Equal(t, limit, source.count(), "the limit itself is held")

		for n, dropped := range order {
			tokenFor(t, cache, user(100+n)) // one too many
			before := source.count()
			for _, i := range order[n+1:] { // in the same order, so that it stays
				tokenFor(t, cache, user(i))
			}
			for i := range n + 1 {
				tokenFor(t, cache, user(100+i))
			}
			require.Equal(t, before, source.count(), "another one than %d was dropped", dropped)
		}
		before := source.count()
		for _, i := range order {
			tokenFor(t, cache, user(i))
		}
		assert.Equal(t, before+limit, source.count(), "all the old ones are gone")
	})
}

// Rule 22: a token that was only fetched and never used again was used then.
func TestCacheCountsAFetchAsAUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceLiving(t, time.Hour)
		cache := newCache(t, source, routeauth.WithMaxTokens(2))
		for i := range 50 {
			tokenFor(t, cache, user(i))
			before := source.count()
			tokenFor(t, cache, user(max(0, i-1)))
			tokenFor(t, cache, user(i))
			require.Equal(t, before, source.count(), "of the last two, one is gone")
		}
	})
}

// Rule 22: an expired token goes before one that is good, however long that was
// not used.
func TestCacheDropsExpiredTokensFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &countingSource{next: func(_ context.Context, params routeauth.Params, nth int) (string, error) {
			life := time.Hour
			if params["life"] == "short" {
				life = time.Second
			}
			return mint(t, strconv.Itoa(nth), time.Now(), time.Now().Add(life)), nil
		}}
		cache := newCache(t, source, routeauth.WithMaxTokens(8))
		for i := range 4 {
			tokenFor(t, cache, user(i))
		}
		for i := range 4 {
			tokenFor(t, cache, routeauth.Params{"life": "short", "n": strconv.Itoa(i)})
		}
		advance(time.Second)
		for i := range 4 {
			tokenFor(t, cache, user(10+i))
		}
		require.Equal(t, 12, source.count())
		for i := range 4 {
			tokenFor(t, cache, user(i))
			tokenFor(t, cache, user(10+i))
		}
		assert.Equal(t, 12, source.count(), "what was good is held")
	})
}

// Rule 22: whatever is used, whatever ends and whatever arrives, the cache holds
// exactly what it should. A list in order of the last use says what that is.
func TestCacheHoldsWhatAListInOrderOfUseHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type entry struct {
			user int
			end  time.Time
		}
		var list []entry // least recently used first
		const limit = 6
		source := &countingSource{next: func(_ context.Context, params routeauth.Params, nth int) (string, error) {
			life, _ := strconv.Atoi(params["life"])
			return mint(t, strconv.Itoa(nth), time.Now(), time.Now().Add(time.Duration(life)*time.Second)), nil
		}}
		cache := newCache(t, source, neverRefresh, toTheEnd, routeauth.WithMaxTokens(limit))
		random := rand.New(rand.NewPCG(1, 2))
		for range 1000 {
			// Half of the calls are for the latest users.
			user := random.IntN(20)
			if recent := random.IntN(12); recent < len(list) {
				user = list[len(list)-1-recent].user
			}
			life := 1 + user%10*5
			want := source.count()
			at := slices.IndexFunc(list, func(e entry) bool { return e.user == user })
			used := entry{user, time.Now().Add(time.Duration(life) * time.Second)}
			if at >= 0 {
				if list[at].end.After(time.Now()) {
					used = list[at]
				} else {
					want++
				}
				list = slices.Delete(list, at, at+1)
			} else {
				want++
			}
			list = append(list, used)
			if len(list) > limit {
				list = slices.DeleteFunc(list, func(e entry) bool { return !e.end.After(time.Now()) })
			}
			if len(list) > limit {
				list = list[1:]
			}
			tokenFor(t, cache, routeauth.Params{"user": strconv.Itoa(user), "life": strconv.Itoa(life)})
			require.Equal(t, want, source.count())
			advance(time.Duration(random.IntN(2)) * time.Second)
		}
	})
}

// Rule 22: the default. It is named without the word by which the quick tests
// are run, as the next one is.
func TestByDefault1024TokensAreHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceOf(mint(t, "", time.Now(), time.Now().Add(time.Hour)))
		cache := newCache(t, source)
		for range 2 {
			for i := range 1024 {
				tokenFor(t, cache, user(i))
			}
		}
		require.Equal(t, 1024, source.count())
		tokenFor(t, cache, user(1024))
		tokenFor(t, cache, user(0))
		assert.Equal(t, 1026, source.count(), "the oldest one is gone")
	})
}

// Rule 22: memory does not grow with the number of params that were asked for.
func TestManyParamsTakeBoundedMemory(t *testing.T) {
	many := 5_000
	if *long {
		many = 100_000
	}
	source := opaqueLiving(time.Hour)
	cache := newCache(t, source, routeauth.WithMaxTokens(1000))
	heap := func() uint64 {
		runtime.GC()
		runtime.GC() // what the first one found dead is free after the second
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	for i := range 1000 {
		tokenFor(t, cache, user(i))
	}
	full := heap()
	for i := range many {
		tokenFor(t, cache, user(1000+i))
	}
	// A thousand tokens with their keys take less than a megabyte.
	assert.Less(t, heap(), full+1<<20)
	require.Equal(t, 1000+many, source.count())
	for i := range 1000 {
		tokenFor(t, cache, user(many+i))
	}
	assert.Equal(t, 1000+many, source.count(), "the last thousand are held")
	runtime.KeepAlive(cache)
}
