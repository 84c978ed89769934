package redistokens

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/internal/config"
	"github.com/redis/go-redis/v9"
)

// Source is a [routeauth.Discarder] that shares the tokens of another source
// through Redis. Put it under a [routeauth.TokenCache]: it keeps no token itself
// and asks Redis at each call. It is safe for concurrent use; there is nothing to
// close. The zero value has no tokens and always fails.
//
// Tokens are shared by identity ([routeauth.ContextWithIdentity]), params,
// namespace and encryption key, and by nothing else.
type Source struct {
	// A function, so that formatting a Source shows neither keys nor tokens.
	member func() *member
}

// New returns a Source that shares the tokens of source with every process that
// has the same Redis, namespace and encryption key. The client stays the
// caller's to close, and is used with whatever timeouts and retries it has. New
// does not connect.
//
// The error joins everything that is wrong, each a [*ConfigError]: a client or
// source that is nil or a nil pointer or function, neither or both of
// [WithEncryptionKey] and [AllowUnencrypted], an option that is nil or has a
// value out of its range. It never holds the encryption key.
func New(client redis.UniversalClient, source routeauth.TokenSource, opts ...Option) (*Source, error) {
	s := settings{refreshBefore: 30 * time.Second, fetchTimeout: 10 * time.Second}
	errs := []error{notNil("client", client), notNil("token source", source)}
	errs = append(errs, config.Apply(&s, opts, func(i int) error {
		return &ConfigError{fmt.Sprintf("option %d", i+1), "is nil"}
	})...)
	errs = append(errs, s.checkSecrecy())
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	m, err := newMember(client, source, s)
	if err != nil {
		return nil, err
	}
	return &Source{func() *member { return m }}, nil
}

func notNil(what string, value any) error {
	if problem := config.NilProblem(value); problem != "" {
		return &ConfigError{what, problem}
	}
	return nil
}

// Token returns a token for the identity in ctx and params: one that is shared,
// or one that the source returns now. Concurrent callers in this process share
// the work; a caller whose context ends leaves at once with that context's error
// and cause, and the work goes on for the others. The source is asked with the
// values of the first caller's context.
//
// A shared token has its end by Redis's clock as its Expiry, and is handed out up
// to a second before that (or a tenth of its life, if that is less), and later if
// none can be had. A fetched one has its own end. It counts as fetched just now
// only if the source itself says so, as a TokenCache does; every other token is
// one that a [routeauth.JWTTransport] may replace after a 401.
//
// The error is the source's own, that of ctx, or says that the source panicked.
// Redis makes none.
func (s *Source) Token(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
	if s == nil || s.member == nil {
		return routeauth.Token{}, routeauth.Permanent(errors.New("redistokens: the Source was not made by New"))
	}
	return s.member().token(ctx, params)
}

// Discard takes a token out of Redis that a server rejected, unless another has
// taken its place, and remembers it: this process never takes it out of Redis
// again, also where Redis could not be told. The source is told too, if it is a
// [routeauth.Discarder]. A source that fetches that very token anew has it
// returned, since it may know better, but not shared.
func (s *Source) Discard(ctx context.Context, params routeauth.Params, rejected routeauth.Secret) {
	if s != nil && s.member != nil {
		s.member().discard(ctx, params, rejected)
	}
}
