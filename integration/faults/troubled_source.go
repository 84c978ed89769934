package faults

import (
	"context"
	"errors"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"time"

	"example.com/routeauth"
)

// troubledSource is a token source with faults of its own, in the caller's
// process.
type troubledSource struct {
	seed   uint64
	ledger *ledger
	next   routeauth.TokenSource
}

type sourceFault string

const (
	asksNext        sourceFault = ""
	sourceFails     sourceFault = "source: fails"
	sourceRefuses   sourceFault = "source: fails for good"
	isUnreachable   sourceFault = "source: fails with net/http's error"
	sourcePanics    sourceFault = "source: panics"
	sourceCrashes   sourceFault = "source: panics with a runtime error"
	sourceExits     sourceFault = "source: ends its goroutine"
	ignoresContext  sourceFault = "source: ignores its context and is late"
	stoppedByItself sourceFault = "source: fails with a context's error"
)

var sourceFaults = []weight[sourceFault]{
	{asksNext, 40},
	{sourceFails, 3}, {isUnreachable, 3}, {sourceRefuses, 2}, {sourcePanics, 3}, {sourceCrashes, 2}, {sourceExits, 2},
	{ignoresContext, 2}, {stoppedByItself, 2},
}

func (s *troubledSource) Token(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
	what := "source " + nameOf(params)
	kind := choose(draw(s.seed, what, s.ledger.attempt(what)), sourceFaults)
	if kind != asksNext {
		s.ledger.fault(string(kind))
	}
	switch kind {
	case sourceFails:
		return routeauth.Token{}, errors.New("a fault on purpose")
	case sourceRefuses:
		return routeauth.Token{}, routeauth.Permanent(errors.New("never for you"))
	case isUnreachable:
		return routeauth.Token{}, &url.Error{Op: "Post", URL: "https://backend.example.com", Err: errors.New("connection refused on purpose")}
	case sourcePanics:
		panic("the secret is " + jwtSecret)
	case sourceCrashes:
		_ = what[len(what)]
	case sourceExits:
		runtime.Goexit()
	case ignoresContext:
		pause(context.Background(), 2*fetchTimeout)
		return routeauth.Token{Value: routeauth.Secret(expiredToken())}, nil
	case stoppedByItself:
		return routeauth.Token{}, context.DeadlineExceeded
	}
	return s.next.Token(ctx, params)
}

func nameOf(params routeauth.Params) string {
	var parts []string
	for name, value := range params {
		parts = append(parts, name+"="+value)
	}
	slices.Sort(parts)
	return strings.Join(parts, "&")
}

// fetchTimeout is the token cache's. It is shorter than a call's deadline, so
// that both end a fetch.
const fetchTimeout = 150 * time.Millisecond
