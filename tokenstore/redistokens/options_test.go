package redistokens_test

import (
	"context"
	"testing"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/redistokens"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	_ routeauth.Discarder = (*redistokens.Source)(nil)

	unusedClient = redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	unusedSource = routeauth.TokenSourceFunc(func(context.Context, routeauth.Params) (routeauth.Token, error) {
		return routeauth.Token{}, nil
	})
	longKey = redistokens.WithEncryptionKey("sixteen bytes of")
)

func TestWrongConfigurationIsAConstructorError(t *testing.T) {
	for name, test := range map[string]struct {
		client redis.UniversalClient
		source routeauth.TokenSource
		opts   []redistokens.Option
		what   string
	}{
		"nil client":       {nil, unusedSource, []redistokens.Option{longKey}, "client"},
		"typed nil client": {(*redis.Client)(nil), unusedSource, []redistokens.Option{longKey}, "client"},
		"nil source":       {unusedClient, nil, []redistokens.Option{longKey}, "token source"},
		"typed nil source": {unusedClient, (*routeauth.TokenCache)(nil), []redistokens.Option{longKey}, "token source"},
		"nil function":     {unusedClient, routeauth.TokenSourceFunc(nil), []redistokens.Option{longKey}, "token source"},
		"nil option":       {unusedClient, unusedSource, []redistokens.Option{longKey, nil}, "option 2"},
		"empty namespace":  {unusedClient, unusedSource, []redistokens.Option{longKey, redistokens.WithNamespace("")}, "namespace"},
		"no key":           {unusedClient, unusedSource, nil, "encryption key"},
		"empty key":        {unusedClient, unusedSource, []redistokens.Option{redistokens.WithEncryptionKey("")}, "encryption key"},
		"short key":        {unusedClient, unusedSource, []redistokens.Option{redistokens.WithEncryptionKey("fifteen bytes o")}, "encryption key"},
		"placeholder":      {unusedClient, unusedSource, []redistokens.Option{redistokens.WithEncryptionKey("REDACTED")}, "encryption key"},
		"key and none":     {unusedClient, unusedSource, []redistokens.Option{longKey, redistokens.AllowUnencrypted()}, "encryption key"},
		"negative refresh": {unusedClient, unusedSource, []redistokens.Option{longKey, redistokens.WithRefreshBefore(-1)}, "refresh before"},
		"no fetch timeout": {unusedClient, unusedSource, []redistokens.Option{longKey, redistokens.WithFetchTimeout(0)}, "fetch timeout"},
		"negative timeout": {unusedClient, unusedSource, []redistokens.Option{longKey, redistokens.WithFetchTimeout(-1)}, "fetch timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			shared, err := redistokens.New(test.client, test.source, test.opts...)
			assert.Nil(t, shared)
			var wrong *redistokens.ConfigError
			require.ErrorAs(t, err, &wrong)
			assert.Equal(t, test.what, wrong.What)
			assert.NotEmpty(t, wrong.Problem)
			assert.Equal(t, wrong.Error(), err.Error(), "and nothing else")
		})
	}
}

func TestEverythingThatIsWrongIsReportedAtOnce(t *testing.T) {
	_, err := redistokens.New(nil, nil, redistokens.WithEncryptionKey("my short secret"), nil,
		redistokens.WithRefreshBefore(-time.Second), redistokens.WithFetchTimeout(0), redistokens.WithNamespace(""))
	var joined interface{ Unwrap() []error }
	require.ErrorAs(t, err, &joined)
	assert.Len(t, joined.Unwrap(), 7)
	assert.NotContains(t, err.Error(), "my short secret")
}

func TestGoodConfigurationIsTaken(t *testing.T) {
	for name, opts := range map[string][]redistokens.Option{
		"a key of 16 bytes": {longKey},
		"no encryption":     {redistokens.AllowUnencrypted()},
		"everything": {longKey, redistokens.WithNamespace("any {text} at all"),
			redistokens.WithRefreshBefore(0), redistokens.WithFetchTimeout(time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			shared, err := redistokens.New(unusedClient, unusedSource, opts...)
			assert.NoError(t, err)
			assert.NotNil(t, shared)
		})
	}
}

func TestANilConfigErrorCanBePrinted(t *testing.T) {
	assert.NotEmpty(t, (*redistokens.ConfigError)(nil).Error())
}
