package routeauth

import (
	"fmt"
	"net/http"

	"example.com/routeauth/internal/fallback"
	"example.com/routeauth/internal/sound"
)

// baseOrDefault returns the transport to send with: base, or for nil one that
// asks for [http.DefaultTransport] anew at each request.
func baseOrDefault(base http.RoundTripper) (http.RoundTripper, error) {
	if base == nil {
		return fallback.Transport{}, nil
	}
	if err := checkNotNil("base", base); err != nil {
		return fallback.Transport{}, err
	}
	return base, nil
}

// checkNotNil reports an error if value is nil or a typed nil, which would
// otherwise panic at the first request.
func checkNotNil(what string, value any) error {
	if value == nil {
		return fmt.Errorf("%s is nil", what)
	}
	if sound.IsTypedNil(value) {
		return fmt.Errorf("%s is a nil %T", what, value)
	}
	return nil
}

// configuredBase is a base that New hands to an Auth. What a constructor of this
// package makes of it obeys the options of New.
type configuredBase struct {
	base    hidden[http.RoundTripper]
	options *transportConfig
}

func (b *configuredBase) RoundTrip(req *http.Request) (*http.Response, error) {
	return b.base().RoundTrip(req)
}

func (b *configuredBase) CloseIdleConnections() { fallback.CloseIdleConnections(b.base()) }

func (b *configuredBase) unwrap() http.RoundTripper { return b.base() }

// fetchBase is base as [fetch.RefuseRedirects] asks for it.
func fetchBase(base http.RoundTripper) http.RoundTripper {
	if base == (fallback.Transport{}) {
		return nil
	}
	return base
}

// wrapper is a transport of this package, which knows its base.
type wrapper interface{ unwrap() http.RoundTripper }

func init() {
	fallback.RegisterUnwrap(func(transport http.RoundTripper) http.RoundTripper {
		if w, ok := transport.(wrapper); ok {
			return w.unwrap()
		}
		return nil
	})
}
