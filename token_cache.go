package routeauth

import (
	"context"
	"time"

	"example.com/routeauth/internal/tokencache"
)

// TokenCache is a [Discarder] that keeps the tokens of another source for as
// long as they live. It is safe for concurrent use; there is nothing to close.
// The zero value has no tokens and always fails.
//
// What it keeps:
//
//   - Tokens are kept by identity ([ContextWithIdentity]) and params, and by
//     nothing else: whatever decides which token is returned, such as the user
//     or the tenant, must be in one of them. What is only elsewhere in the
//     context does not tell two callers apart, and the second would get the
//     first one's token. However long they are, little of them is held.
//   - A token is kept until its Expiry or, if it is a JWT, its claim exp (RFC
//     7519, section 4.1.4), whichever comes first. A token with neither is not
//     kept, nor a JWT whose exp is not after its iat, or out of range. The
//     signature is the server's business and is not checked.
//   - If the clock is outside of a JWT's iat and exp when it arrives, the clock
//     must be wrong, and the token ends when exp − iat has passed since it was
//     asked for. A machine that slept has a monotonic clock that stood still, so
//     both clocks count.
//
// How it asks the source:
//
//   - Callers for the same token share one fetch. It runs with the values of the
//     first caller's context, and so with its httptrace hooks, but not with its
//     cancellation. A caller whose context ends leaves with that context's error
//     and cause, and the fetch goes on for the others.
//   - After [WithFetchTimeout] everybody who waits gets
//     [context.DeadlineExceeded], and what a source that ignored its context
//     returns later is dropped. A source that panics fails one fetch.
//   - At most [WithMaxFetches] run at once. The others wait their turn.
//   - Within [WithRefreshBefore] of its end a token is still returned while a new
//     one is fetched in the background. Within [WithMinRemaining] of its end a
//     caller waits for the new token, and gets the old one only if none can be
//     had while it lives.
//   - After a failed fetch the source is left alone for a while, and callers get
//     the last error at once: see [WithFailurePause].
//   - A token that a server rejected ([TokenCache.Discard]) is returned to nobody
//     who asks after that, also where a fetch that was under way brings it.
type TokenCache struct {
	cache hidden[*tokencache.Cache]
}

// CacheOption changes what a [TokenCache] does.
type CacheOption func(*cacheConfig) error

type cacheConfig struct {
	tokencache.Config
	traces traces
}

// WithRefreshBefore sets how long before its end a token is replaced in the
// background, but never more than a third of its life. The moment comes up to a
// tenth of that span later, so that replicas do not refresh together. The
// default is 10 seconds; 0 means never; less is an error of the constructor.
func WithRefreshBefore(d time.Duration) CacheOption {
	return func(c *cacheConfig) error {
		c.RefreshBefore = d
		return checkLimit(d >= 0, "refresh before", d, "0 or more")
	}
}

// WithMinRemaining sets how long before its end a token is not sent any more, so
// that it does not expire on its way, but never more than a tenth of its life.
// The default is 1 second; 0 sends a token up to its end; less is an error of
// the constructor.
func WithMinRemaining(d time.Duration) CacheOption {
	return func(c *cacheConfig) error {
		c.MinRemaining = d
		return checkLimit(d >= 0, "min remaining", d, "0 or more")
	}
}

// WithFetchTimeout sets how long a fetch may take, from its turn on. The default
// is 30 seconds; 0 or less is an error of the constructor.
func WithFetchTimeout(d time.Duration) CacheOption {
	return func(c *cacheConfig) error {
		c.FetchTimeout = d
		return checkLimit(d > 0, "fetch timeout", d, "more than 0")
	}
}

// WithFailurePause sets for how long at most the source is left alone after a
// failed fetch, separately for each identity and params. The first pause is 100
// milliseconds, and each further failure doubles it; each is up to a fifth
// shorter than that, so that those who failed together do not come back together.
// Where the error has an [*EndpointError] with a RetryAfter in it, or an error
// with a method RetryAfter() time.Duration, exactly that is the pause, a minute
// at most. A source that returns the token that it is to replace, or one that
// ends no later, has failed too. The default is 5 seconds; 0 means no pause; less
// is an error of the constructor.
func WithFailurePause(d time.Duration) CacheOption {
	return func(c *cacheConfig) error {
		c.FailurePause = d
		return checkLimit(d >= 0, "failure pause", d, "0 or more")
	}
}

// WithMaxFetches sets how many fetches run at once. A fetch that waits for its
// turn is dropped when nobody waits for it any more. A fetch has its place until
// the source returns, or for the fetch timeout if it does not; a source that
// asks this very cache holds its own place meanwhile. The default is 256; 0 or
// less is an error of the constructor.
func WithMaxFetches(n int) CacheOption {
	return func(c *cacheConfig) error {
		c.MaxFetches = n
		return checkLimit(n > 0, "max fetches", n, "more than 0")
	}
}

// WithMaxTokens sets how many tokens are held at most, and how many failures are
// remembered. Over it, expired tokens go first and then the one that was not
// used for the longest time; of failures, the oldest one. The default is 1024; 0
// or less is an error of the constructor.
func WithMaxTokens(n int) CacheOption {
	return func(c *cacheConfig) error {
		c.MaxTokens = n
		return checkLimit(n > 0, "max tokens", n, "more than 0")
	}
}

// NewTokenCache returns a TokenCache over source. If that is a [Discarder], it is
// told of rejected tokens too.
//
// The error joins everything that is wrong: a source that is nil or a nil
// pointer or function, an option that is nil or has a value out of its range.
func NewTokenCache(source TokenSource, opts ...CacheOption) (*TokenCache, error) {
	config := cacheConfig{Config: tokencache.Config{
		Prefix:        bearerPrefix,
		RefreshBefore: 10 * time.Second,
		MinRemaining:  time.Second,
		FetchTimeout:  30 * time.Second,
		FailurePause:  5 * time.Second,
		MaxFetches:    256,
		MaxTokens:     1024,
		RetryAfter:    retryAfterIn,
	}}
	errs := append(apply(&config, "cache", opts), checkNotNil("token source", source))
	if err := joinErrors(errs...); err != nil {
		return nil, err
	}
	config.Fetched = func(ctx context.Context, f tokencache.Fetched) {
		tellFetch(ctx, TokenFetch{Took: f.Took, Expiry: f.Expiry, Background: f.Background, Err: f.Err}, config.traces)
	}
	discarder, isDiscarder := source.(Discarder)
	if isDiscarder {
		config.Discard = func(ctx context.Context, params tokencache.Params, rejected string) {
			discarder.Discard(ctx, params, Secret(rejected))
		}
	}
	if _, isCache := source.(*TokenCache); isCache {
		config.Fetched = nil // the inner cache tells of the calls of its own source
	}
	config.Source = func(ctx context.Context, params tokencache.Params) (tokencache.Token, error) {
		token, err := tokenOf(ctx, source, params)
		wasHeld := token.freshness == held || token.freshness == unknown && isDiscarder
		return tokencache.Token{Value: string(token.Value), Expiry: token.Expiry, Held: wasHeld}, err
	}
	return &TokenCache{hide(tokencache.New(config.Config))}, nil
}

// Token returns a token for the identity in ctx and params: one that is held, or
// one that the source returns now. The error is the source's own, that of ctx if
// it ends first, or [context.DeadlineExceeded] after the fetch timeout; or it
// says that the source panicked or, as a [Permanent] one, that its token is
// empty or ill-formed.
func (c *TokenCache) Token(ctx context.Context, params Params) (Token, error) {
	got, err := c.get(ctx, params)
	if err != nil {
		return Token{}, err
	}
	token := Token{
		Value:         Secret(got.Value()),
		Expiry:        got.Expiry(),
		freshness:     fresh,
		authorization: got.Authorization(),
	}
	if got.Held {
		token.freshness = held
	}
	return token, nil
}

// get is Token, in the form that the transport needs.
func (c *TokenCache) get(ctx context.Context, params Params) (tokencache.Cached, error) {
	if c == nil || c.cache == nil {
		return tokencache.Cached{}, errNotConstructed("token cache", "NewTokenCache")
	}
	var buffer [tokencache.KeySize]byte
	key := tokencache.AppendKey(buffer[:0], IdentityFromContext(ctx), params)
	got, err := c.cache().Get(ctx, key, params)
	if err == tokencache.ErrOwnFetch { // not wrapped: as another fetch's error it may pass
		err = Permanent(err)
	}
	return got, err
}

// Discard drops the token for the identity in ctx and params if it is this one.
// If the source is a [Discarder], it is told first, and the token dropped when
// that has returned. Call it when a server rejects a token that the cache
// returned. It does nothing if the token was replaced in the meantime.
func (c *TokenCache) Discard(ctx context.Context, params Params, rejected Secret) {
	if c == nil || c.cache == nil {
		return
	}
	key := tokencache.AppendKey(nil, IdentityFromContext(ctx), params)
	c.cache().Discard(ctx, key, params, string(rejected))
}

// CacheStats are counts of a [TokenCache] since it was made, and what it holds
// now.
type CacheStats struct {
	Hits      uint64 // tokens that were returned without asking the source
	Fetches   uint64 // calls of the source, failed ones too
	Failures  uint64 // calls of the source that failed
	Evictions uint64 // tokens that had to go, expired ones too

	Tokens   int // that are held
	Fetching int // fetches that run
}

// Stats returns the cache's counts. It is cheap, but for a moment keeps others
// from changing the cache.
func (c *TokenCache) Stats() CacheStats {
	if c == nil || c.cache == nil {
		return CacheStats{}
	}
	return CacheStats(c.cache().Stats())
}

// retryAfterIn returns for how long an error asks to leave its source alone: the
// longest time that anything in it says.
func retryAfterIn(err error) (after time.Duration) {
	defer func() { _ = recover() }() // the method is somebody else's
	holdsError(err, func(e *EndpointError) bool {
		after = max(after, e.RetryAfter)
		return false
	})
	holdsError(err, func(e interface {
		error
		RetryAfter() time.Duration
	}) bool {
		after = max(after, e.RetryAfter())
		return false
	})
	return after
}
