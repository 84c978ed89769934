//go:build linux

package redistokens_test

import (
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/internal/redistest"
	"github.com/stretchr/testify/assert"
)

func TestOfManyCallsThatBeginAtOnceOneReachesForRedis(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server)
	var reached atomic.Int64
	client.AddHook(before(func(args []any) {
		if args[0] == "get" {
			reached.Add(1)
			time.Sleep(100 * time.Millisecond) // so that all of them are there by then
		}
	}))
	source := newIssuer(time.Hour)
	shared := memberWith(t, client, source)
	together(50, func(i int) {
		_, err := shared.Token(routeauth.ContextWithIdentity(t.Context(), strconv.Itoa(i)), nil)
		assert.NoError(t, err)
	})
	assert.EqualValues(t, 1, reached.Load())
	assert.EqualValues(t, 50, source.fetches.Load())
	assert.EqualValues(t, 50, redistest.Client(t, server).DBSize(t.Context()).Val(), "all of them are shared")
}
