package routeauth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// TokenCache is a [TokenSource] that keeps the tokens of another one for as
// long as they live. It is safe for concurrent use; there is nothing to close.
// The zero value has no tokens and always fails.
//
// Tokens are kept by their params, and by nothing else: whatever decides which
// token is handed out, such as the user or the tenant, must be in the params.
// What is only in the context does not tell two callers apart, and the second
// would get the first one's token.
//
// Only a JWT with an exp claim (RFC 7519, section 4.1.4) is kept, and it is
// kept no longer than that claim says. If the clock lies between iat and exp
// when the token is asked for or arrives, the token ends when the clock reaches
// exp or when its remaining life has passed on the monotonic clock, whichever
// comes first: a machine that slept has a monotonic clock that stood still. If
// it lies outside, the clock is wrong, and the token ends when exp − iat has
// passed since it was asked for. Without an iat it ends at exp. A token whose
// exp is not after its iat, or out of range, is not kept. The signature is the
// server's business and is not checked.
//
// Callers for the same params share one fetch. It runs with the values of the
// first caller's context, and so with its httptrace hooks, but not with its
// cancellation: a caller whose context ends leaves with that context's error
// and the fetch goes on for the others. After the fetch timeout everybody who
// waits gets [context.DeadlineExceeded], and what a source that ignored its
// context hands out later is dropped. A source that panics fails one fetch.
// Errors are not kept.
//
// Shortly before its end a token is still served while a new one is fetched in
// the background. Should that fail, the old one is served until its end, and
// the source is asked again at most once a second.
type TokenCache struct{ tokens hidden[*tokens] }

// CacheOption changes what a [TokenCache] does.
type CacheOption func(*cacheConfig) error

type cacheConfig struct {
	refreshBefore time.Duration
	fetchTimeout  time.Duration
	maxTokens     int
}

// WithRefreshBefore sets how long before its end a token is replaced in the
// background, but never more than a third of its life. The default is 10
// seconds; 0 means never; less is an error of the constructor.
func WithRefreshBefore(d time.Duration) CacheOption {
	return func(c *cacheConfig) error {
		c.refreshBefore = d
		return checkLimit(d >= 0, "refresh before", d, "0 or more")
	}
}

// WithFetchTimeout sets how long a fetch may take. The default is 30 seconds;
// 0 or less is an error of the constructor.
func WithFetchTimeout(d time.Duration) CacheOption {
	return func(c *cacheConfig) error {
		c.fetchTimeout = d
		return checkLimit(d > 0, "fetch timeout", d, "more than 0")
	}
}

// WithMaxTokens sets how many tokens are held at most. Over it, expired ones go
// first and then the one that was not used for the longest time. The default is
// 1024; 0 or less is an error of the constructor.
func WithMaxTokens(n int) CacheOption {
	return func(c *cacheConfig) error {
		c.maxTokens = n
		return checkLimit(n > 0, "max tokens", n, "more than 0")
	}
}

func checkLimit(ok bool, what string, got any, want string) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%s is %v: it must be %s", what, got, want)
}

// NewTokenCache returns a TokenCache over source.
//
// The error joins everything that is wrong: a source that is nil or a nil
// pointer or function, an option that is nil or has a value out of its range.
func NewTokenCache(source TokenSource, opts ...CacheOption) (*TokenCache, error) {
	config := cacheConfig{refreshBefore: 10 * time.Second, fetchTimeout: 30 * time.Second, maxTokens: 1024}
	errs := []error{checkNotNil("token source", source)}
	for _, opt := range opts {
		if opt == nil {
			errs = append(errs, errors.New("cache option is nil"))
			continue
		}
		errs = append(errs, opt(&config))
	}
	if err := joinErrors(errs...); err != nil {
		return nil, err
	}
	return &TokenCache{hide(&tokens{
		cacheConfig: config,
		source:      source,
		held:        make(map[string]*heldToken),
		fetches:     make(map[string]*fetch),
	})}, nil
}

// Token returns a token for params: one that is held, or one that the source
// hands out now. The error is the source's own, that of ctx if it ends first,
// or [context.DeadlineExceeded] after the fetch timeout; or it says that the
// source panicked or, as a [Permanent] one, that its token is empty or ill-formed.
func (c *TokenCache) Token(ctx context.Context, params Params) (string, error) {
	b, err := c.bearer(ctx, params)
	return b.token(), err
}

// Discard drops the token for params if it is this one. A caller that learned
// that a token is no longer good calls it with that token; it does nothing if
// the token was replaced in the meantime.
func (c *TokenCache) Discard(params Params, token string) {
	if c == nil || c.tokens == nil {
		return
	}
	c.tokens().discard(params, token)
}

func (c *TokenCache) bearer(ctx context.Context, params Params) (bearer, error) {
	if c == nil || c.tokens == nil {
		return bearer{}, Permanent(errors.New("the token cache was not made by NewTokenCache"))
	}
	return c.tokens().get(ctx, params)
}

// tokens is what a TokenCache holds. It is out of reach of reflection, so that
// formatting a cache neither shows a token nor reads what others write.
type tokens struct {
	cacheConfig
	source TokenSource

	uses atomic.Uint64 // orders tokens by their last use

	mu      sync.RWMutex // guards the maps; never held while the source runs
	held    map[string]*heldToken
	fetches map[string]*fetch

	// See evict.
	firstToEnd *heldToken // none that is held ends before it
	idle       []lastUse  // who goes next, unless used since
}

// fetch is a call of the source that is under way.
type fetch struct {
	began time.Time
	done  chan struct{} // closed when the result below is there

	token bearer
	err   error
}

func (t *tokens) get(ctx context.Context, params Params) (bearer, error) {
	var buffer [keySize]byte
	key := appendKey(buffer[:0], params)
	now := time.Now()

	t.mu.RLock()
	held := t.held[string(key)]
	t.mu.RUnlock()
	if left := held.left(now); left > 0 {
		held.use(&t.uses)
		if held.refreshDue(left, now) {
			t.refresh(ctx, string(key), params, held, now)
		}
		return bearer{held.authorization(), true}, nil
	}
	return t.wait(ctx, string(key), params)
}

// wait joins the fetch for key, or starts it.
func (t *tokens) wait(ctx context.Context, key string, params Params) (bearer, error) {
	if ctx.Err() != nil {
		return bearer{}, errorOf(ctx)
	}
	t.mu.Lock()
	now := time.Now()
	if held := t.held[key]; held.alive(now) { // it arrived in the meantime
		t.mu.Unlock()
		held.use(&t.uses)
		return bearer{held.authorization(), true}, nil
	}
	f := t.fetches[key]
	if f == nil {
		f = t.start(ctx, key, params, now)
	}
	t.mu.Unlock()

	select {
	case <-f.done:
		return f.token, f.err
	case <-ctx.Done():
		return bearer{}, errorOf(ctx)
	}
}

// errorOf returns the error of a context that has ended, with its cause.
func errorOf(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// refresh starts a fetch in the background for a token that is near its end.
func (t *tokens) refresh(ctx context.Context, key string, params Params, held *heldToken, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held[key] == held && t.fetches[key] == nil && held.refreshDue(held.left(now), now) {
		held.deferRefresh(now)
		t.start(ctx, key, params, now)
	}
}

// start begins a fetch. The caller holds t.mu.
func (t *tokens) start(ctx context.Context, key string, params Params, now time.Time) *fetch {
	f := &fetch{began: now, done: make(chan struct{})}
	t.fetches[key] = f
	params = maps.Clone(params)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.fetchTimeout)
	// A source that ignores its context holds up nobody but itself.
	stop := context.AfterFunc(ctx, func() { t.finish(key, f, bearer{}, nil, ctx.Err()) })
	go func() {
		defer cancel()
		var token bearer
		var fresh *heldToken
		err := errSourceExited
		defer func() {
			stop()
			t.finish(key, f, token, fresh, err)
		}()
		token, err = askSource(ctx, t.source, params)
		switch {
		case err == nil: // parsed here, where no lock is held
			fresh = newHeldToken(token, f.began, time.Now(), t.refreshBefore)
		case ctx.Err() != nil:
			err = ctx.Err()
		}
	}()
	return f
}

var errSourceExited = errors.New("the token source ended its goroutine")

// askSource calls a source. If it panics, that is an error, whose text holds none of
// the program's data.
func askSource(ctx context.Context, source TokenSource, params Params) (b bearer, err error) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case runtime.Error:
			err = fmt.Errorf("the token source panicked: %w", v)
		default:
			err = fmt.Errorf("the token source panicked (%T)", v)
		}
	}()
	token, err := source.Token(ctx, params)
	if err != nil {
		return bearer{}, sound("the token source", err)
	}
	return newBearer(token)
}

// finish releases everybody who waits for f, and holds the token that arrived
// unless fresh is nil. Only the first call for a fetch counts.
func (t *tokens) finish(key string, f *fetch, token bearer, fresh *heldToken, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fetches[key] != f {
		return
	}
	delete(t.fetches, key)
	f.token, f.err = token, err
	close(f.done)
	t.keep(key, fresh)
}

// keep holds a token that arrived, unless the one that is held is better. The
// caller holds t.mu.
func (t *tokens) keep(key string, fresh *heldToken) {
	now := time.Now()
	old := t.held[key]
	if !fresh.alive(now) || old.outlives(fresh, now) || old.alive(now) && old.equals(fresh) {
		return // the same token once more is good for no longer
	}
	fresh.used.Store(t.uses.Add(1))
	t.held[key] = fresh
	if t.firstToEnd.outlives(fresh, now) {
		t.firstToEnd = fresh
	}
	if len(t.held) > t.maxTokens {
		t.evict(now)
	}
}

func (t *tokens) discard(params Params, token string) {
	key := string(appendKey(nil, params))
	t.mu.Lock()
	defer t.mu.Unlock()
	if held := t.held[key]; held != nil && held.authorization() == bearerPrefix+token {
		delete(t.held, key)
	}
}
