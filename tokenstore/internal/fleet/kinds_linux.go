package fleet

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/redistokens"
	"github.com/aws/smithy-go/auth/bearer"
	"github.com/redis/go-redis/v9"
	"golang.org/x/oauth2"
)

// kind is how a process keeps its tokens.
type kind string

const (
	sharedTokens kind = "routeauth with redistokens"
	cachedTokens kind = "routeauth alone"
	oauth2Tokens kind = "golang.org/x/oauth2"
	smithyTokens kind = "smithy-go, auth/bearer"
)

// caller sends requests with a user's token.
type caller interface {
	do(req *http.Request, user string) (*http.Response, error)
}

func newCaller(w *worker) (caller, error) {
	switch w.Kind {
	case sharedTokens, cachedTokens:
		return newRouteauthCaller(w)
	case oauth2Tokens:
		return newPeerCaller(func(user string) http.RoundTripper { return newOAuth2Transport(w, user) }), nil
	case smithyTokens:
		return newPeerCaller(func(user string) http.RoundTripper { return newSmithyTransport(w, user) }), nil
	}
	return nil, fmt.Errorf("unknown kind %q", w.Kind)
}

// routeauthCaller is an http.Client with one transport for all users.
type routeauthCaller struct{ client http.Client }

const encryptionKey routeauth.Secret = "the encryption key of the fleet"

func newRouteauthCaller(w *worker) (caller, error) {
	var source routeauth.TokenSource = routeauth.TokenSourceFunc(
		func(ctx context.Context, _ routeauth.Params) (routeauth.Token, error) {
			a, err := w.fetch(ctx, routeauth.IdentityFromContext(ctx))
			expiry := time.Now().Add(time.Duration(a.ExpiresIn * float64(time.Second)))
			return routeauth.Token{Value: routeauth.Secret(a.AccessToken), Expiry: expiry}, err
		})
	if w.Kind == sharedTokens {
		client := redis.NewClient(&redis.Options{Addr: w.Redis})
		opts := []redistokens.Option{redistokens.WithEncryptionKey(encryptionKey)}
		shared, err := redistokens.New(client, source, w.Spoil.options(opts, w.Name)...)
		if err != nil {
			return nil, err
		}
		source = w.Spoil.store(shared, client)
	}
	cache, err := routeauth.NewTokenCache(source)
	if err != nil {
		return nil, err
	}
	transport, err := routeauth.NewJWTTransport(&watched{cache: w.Spoil.cache(cache), worker: w}, nil)
	if err != nil {
		return nil, err
	}
	return &routeauthCaller{http.Client{Transport: transport}}, nil
}

func (c *routeauthCaller) do(req *http.Request, user string) (*http.Response, error) {
	return c.client.Do(req.WithContext(routeauth.ContextWithIdentity(req.Context(), user)))
}

// watched notes each token whose rejection its cache was told, and tells when the
// cache returns one to a call that began afterwards.
type watched struct {
	cache  routeauth.Discarder
	worker *worker

	mu    sync.Mutex
	known map[routeauth.Secret]int // in which order they became known
}

func (d *watched) Token(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
	d.mu.Lock()
	before := len(d.known)
	d.mu.Unlock()
	token, err := d.cache.Token(ctx, params)
	d.mu.Lock()
	defer d.mu.Unlock()
	if order, known := d.known[token.Value]; err == nil && known && order <= before {
		d.worker.tell(event{Kind: knownRevoked})
	}
	return token, err
}

func (d *watched) Discard(ctx context.Context, params routeauth.Params, rejected routeauth.Secret) {
	d.cache.Discard(ctx, params, rejected)
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.known[rejected]; known {
		return
	}
	if d.known == nil {
		d.known = make(map[routeauth.Secret]int)
	}
	d.known[rejected] = len(d.known) + 1
}

// peerCaller has a transport for each user. The peers cannot be told of a 401, so
// it does what their users do: it makes a new transport and sends once more.
type peerCaller struct {
	newTransport func(user string) http.RoundTripper

	mu    sync.Mutex
	users map[string]http.RoundTripper
}

func newPeerCaller(newTransport func(string) http.RoundTripper) *peerCaller {
	return &peerCaller{newTransport: newTransport, users: make(map[string]http.RoundTripper)}
}

func (c *peerCaller) do(req *http.Request, user string) (*http.Response, error) {
	transport := c.transport(user, nil)
	resp, err := transport.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	_ = resp.Body.Close()
	return c.transport(user, transport).RoundTrip(req)
}

// transport returns a user's transport, another than stale.
func (c *peerCaller) transport(user string, stale http.RoundTripper) http.RoundTripper {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users[user] == stale {
		c.users[user] = c.newTransport(user)
	}
	return c.users[user]
}

// early is how long before its end a peer renews a token. That of x/oauth2 is 10
// seconds if nobody says otherwise, which the tokens of a fleet do not live for.
const early = time.Second

type oauth2Source func() (*oauth2.Token, error)

func (s oauth2Source) Token() (*oauth2.Token, error) { return s() }

func newOAuth2Transport(w *worker, user string) http.RoundTripper {
	source := oauth2Source(func() (*oauth2.Token, error) {
		a, err := w.fetch(context.Background(), user)
		expiry := time.Now().Add(time.Duration(a.ExpiresIn * float64(time.Second)))
		return &oauth2.Token{AccessToken: a.AccessToken, Expiry: expiry}, err
	})
	return &oauth2.Transport{Source: oauth2.ReuseTokenSourceWithExpiry(nil, source, early)}
}

// smithyTransport sends with tokens of smithy-go's cache.
type smithyTransport struct{ tokens bearer.TokenProvider }

func newSmithyTransport(w *worker, user string) http.RoundTripper {
	provider := bearer.TokenProviderFunc(func(ctx context.Context) (bearer.Token, error) {
		a, err := w.fetch(ctx, user)
		expiry := time.Now().Add(time.Duration(a.ExpiresIn * float64(time.Second)))
		return bearer.Token{Value: a.AccessToken, CanExpire: true, Expires: expiry}, err
	})
	return &smithyTransport{bearer.NewTokenCache(provider, func(o *bearer.TokenCacheOptions) {
		o.RefreshBeforeExpires = early
	})}
}

func (t *smithyTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	token, err := t.tokens.RetrieveBearerToken(req.Context())
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+token.Value)
	return http.DefaultTransport.RoundTrip(req)
}
