package filetokens

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/internal/config"
)

// Source is a [routeauth.Discarder] that keeps the tokens of another source in
// files. Put it under a [routeauth.TokenCache]: it reads a file at each call. It
// is safe for concurrent use, also by several Sources and processes with the same
// folder; there is nothing to close. The zero value has no tokens and always
// fails.
//
// Tokens are kept by identity ([routeauth.ContextWithIdentity]) and params, and
// by nothing else.
type Source struct {
	// A function, so that formatting a Source shows no token.
	member func() *member
}

// New returns a Source that keeps the tokens of source in dir.
//
// It makes the folder, and those that it is in, with mode 0700. A folder that is
// there already and that others than its owner can enter, read or change, or
// whose owner is not the one this program runs as, is refused and left as it is.
//
// The error joins everything that is wrong, each a [*ConfigError]: a folder that
// is refused or cannot be made, a source that is nil or a nil pointer or
// function, an option that is nil or has a value out of its range.
func New(dir string, source routeauth.TokenSource, opts ...Option) (*Source, error) {
	s := settings{fetchTimeout: 10 * time.Second}
	folder, folderErr := openFolder(dir)
	errs := []error{folderErr}
	if problem := config.NilProblem(source); problem != "" {
		errs = append(errs, &ConfigError{What: "token source", Problem: problem})
	}
	errs = append(errs, config.Apply(&s, opts, func(i int) error {
		return &ConfigError{What: fmt.Sprintf("option %d", i+1), Problem: "is nil"}
	})...)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	m := newMember(folder, source, s)
	return &Source{func() *member { return m }}, nil
}

// Token returns a token for the identity in ctx and params: the one in the file,
// or one that the source returns now. Concurrent callers in this process share
// the work; a caller whose context ends leaves at once with that context's error
// and cause, and the work goes on for the others. The source is asked with the
// values of the first caller's context.
//
// In the last 10 seconds of its life, or the last third if that is less, a token
// is due: one process fetches the next one, and its caller waits for that, but for
// half a second at most; all others get the old one meanwhile, and so does that
// caller afterwards. The fetch goes on, and its token is kept if the program lives
// that long. In the last second, or tenth, everybody waits for the new one, and
// gets the old one only if none can be had.
//
// The token has its end as its Expiry. It counts as fetched just now only if the
// source itself says so, as a TokenCache does; every other token is one that a
// [routeauth.JWTTransport] may replace after a 401.
//
// The error is the source's own, that of ctx, or says that the source panicked.
// Files make none.
func (s *Source) Token(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
	if s == nil || s.member == nil {
		return routeauth.Token{}, routeauth.Permanent(errors.New("filetokens: the Source was not made by New"))
	}
	return s.member().token(ctx, params)
}

// Discard removes the file of a token that a server rejected, unless another
// token has taken its place, and remembers it: this process never takes it from a
// file again, also where the file could not be removed. The source is told too,
// if it is a [routeauth.Discarder]. A source that fetches that very token anew has
// it returned, since it may know better, but not kept.
func (s *Source) Discard(ctx context.Context, params routeauth.Params, rejected routeauth.Secret) {
	if s != nil && s.member != nil {
		s.member().discard(ctx, params, rejected)
	}
}
