package routeauth

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"

	"example.com/routeauth/internal/problem"
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
	if isNilPointer(value) {
		return fmt.Errorf("%s is a nil %T", what, value)
	}
	return nil
}

func isNilPointer(value any) bool {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
		return v.IsNil()
	}
	return false
}

// roundTrip sends req with base. Whatever base returns, the caller gets a
// response or an error, and never both: the error of a base that returns both
// counts, as it does for [http.Client].
func roundTrip(base http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := base.RoundTrip(req)
	if err != nil {
		if resp != nil {
			problem.Close(resp)
		}
		return nil, sound("the base", err)
	}
	if resp == nil {
		return nil, errors.New("routeauth: the base returned neither a response nor an error")
	}
	return resp, nil
}

// sound returns err if it can be read and searched. An error that is a nil
// pointer, or that panics when it is asked, becomes one that says so.
func sound(whose string, err error) (checked error) {
	if err == nil {
		return nil
	}
	defer func() {
		if recover() != nil {
			checked = fmt.Errorf("routeauth: %s returned an error that cannot be read (%T)", whose, err)
		}
	}()
	if isNilPointer(err) {
		return fmt.Errorf("routeauth: %s returned a nil %T as its error", whose, err)
	}
	_ = err.Error()
	_ = errors.Is(err, errSought) // asks every error in err
	return err
}

// errSought is in no error.
var errSought = errors.New("sought and not found")

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
