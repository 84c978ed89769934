package routeauth

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
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

// checkNotNil says that a value which an interface holds is nil. Calling it
// would panic far from where the mistake was made.
func checkNotNil(what string, value any) error {
	if value == nil {
		return fmt.Errorf("%s is nil", what)
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
		if v.IsNil() {
			return fmt.Errorf("%s is a nil %T", what, value)
		}
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
		closeIdleConnections(seal(base))
	}
}

// wrapping is a transport of this package, which knows its base.
type wrapping interface{ below() http.RoundTripper }

// endsInDefault reports whether rt sends with whatever http.DefaultTransport
// is. As http.DefaultTransport itself, it would never come to an end.
func endsInDefault(rt http.RoundTripper) bool {
	for {
		if rt == (defaultTransport{}) {
			return true
		}
		w, ok := rt.(wrapping)
		if !ok {
			return false
		}
		rt = w.below()
	}
}

func closeIdleConnections(base sealed[http.RoundTripper]) {
	if c, ok := base.orZero().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// closeBody closes the body of a request that does not reach a base, as the
// http.RoundTripper contract wants it.
func closeBody(req *http.Request) {
	if req != nil && req.Body != nil {
		_ = req.Body.Close()
	}
}
