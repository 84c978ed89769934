package routeauth

import (
	"errors"
	"fmt"
	"net/http"

	"example.com/routeauth/internal/sound"
)

// baseOrDefault returns the transport to send with: base, or for nil one that
// asks for [http.DefaultTransport] anew at each request.
func baseOrDefault(base http.RoundTripper) (http.RoundTripper, error) {
	if base == nil {
		return defaultTransport{}, nil
	}
	if err := checkNotNil("base", base); err != nil {
		return defaultTransport{}, err
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

// defaultTransport stands for whatever http.DefaultTransport is when a request
// is sent: a program may replace it after its clients were made.
type defaultTransport struct{}

func (defaultTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	base := http.DefaultTransport
	switch {
	case base == nil:
		closeBody(req)
		return nil, errors.New("routeauth: no base was given, and http.DefaultTransport is nil")
	case endsInDefault(base):
		closeBody(req)
		return nil, errors.New("routeauth: http.DefaultTransport would send with itself: " +
			"give the transport that replaces it the old one as its base")
	}
	return base.RoundTrip(req)
}

func (defaultTransport) CloseIdleConnections() {
	if base := http.DefaultTransport; !endsInDefault(base) {
		closeIdleConnections(base)
	}
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

func (b *configuredBase) CloseIdleConnections() { closeIdleConnections(b.base()) }

func (b *configuredBase) unwrap() http.RoundTripper { return b.base() }

// fetchBase is base as [fetch.RefuseRedirects] asks for it.
func fetchBase(base http.RoundTripper) http.RoundTripper {
	if base == (defaultTransport{}) {
		return nil
	}
	return base
}

// wrapper is a transport of this package, which knows its base.
type wrapper interface{ unwrap() http.RoundTripper }

// endsInDefault reports whether rt sends with whatever http.DefaultTransport
// is. As http.DefaultTransport itself, it would never come to an end.
func endsInDefault(rt http.RoundTripper) bool {
	for {
		if rt == (defaultTransport{}) {
			return true
		}
		w, ok := rt.(wrapper)
		if !ok {
			return false
		}
		rt = w.unwrap()
	}
}

func closeIdleConnections(base http.RoundTripper) {
	if c, ok := base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
