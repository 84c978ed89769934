package redistokens_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/redistokens"
	"github.com/redis/go-redis/v9"
)

// remote stands for whatever fetches a token: a RemoteTokenSource, an OAuth
// client, a call of one's own.
var remote = routeauth.TokenSourceFunc(func(context.Context, routeauth.Params) (routeauth.Token, error) {
	return routeauth.Token{}, errors.New("this example has no issuer")
})

// A fleet shares its tokens through one Redis. The client may as well be one of
// sentinels or of a cluster: NewUniversalClient makes whichever its options ask
// for.
func Example() {
	client := redis.NewUniversalClient(&redis.UniversalOptions{Addrs: []string{"redis.internal:6379"}})
	shared, err := redistokens.New(client, remote,
		redistokens.WithNamespace("production"),
		redistokens.WithEncryptionKey(routeauth.Secret(os.Getenv("TOKEN_ENCRYPTION_KEY"))))
	if err != nil {
		log.Fatal(err)
	}
	cache, err := routeauth.NewTokenCache(shared)
	if err != nil {
		log.Fatal(err)
	}
	transport, err := routeauth.NewJWTTransport(cache, nil)
	if err != nil {
		log.Fatal(err)
	}
	httpClient := &http.Client{Transport: transport}
	_ = httpClient
}

// New reports everything that is wrong at once. Each mistake is a ConfigError.
func ExampleNew() {
	_, err := redistokens.New(nil, remote, redistokens.WithEncryptionKey("too short"), redistokens.WithFetchTimeout(0))
	fmt.Println(err)
	// Output:
	// redistokens: client is nil
	// redistokens: encryption key has 9 bytes: it must have 16 or more
	// redistokens: fetch timeout is 0s: it must be more than 0
}

// While Redis cannot be reached, each process fetches for itself. No request
// fails because of it.
func ExampleSource_Token() {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialerRetries: 1})
	redis.SetLogger(quiet{}) // go-redis reports each connection that it cannot make
	source := routeauth.TokenSourceFunc(func(context.Context, routeauth.Params) (routeauth.Token, error) {
		return routeauth.Token{Value: "opaque"}, nil
	})
	shared, err := redistokens.New(client, source, redistokens.AllowUnencrypted())
	if err != nil {
		log.Fatal(err)
	}
	token, err := shared.Token(context.Background(), nil)
	fmt.Println(string(token.Value), err)
	// Output: opaque <nil>
}

type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}
