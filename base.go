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
	if http.DefaultTransport == nil {
		closeBody(req)
		return nil, errors.New("routeauth: no base was given and http.DefaultTransport is nil")
	}
	return http.DefaultTransport.RoundTrip(req)
}

func (defaultTransport) CloseIdleConnections() { closeIdleConnections(seal(http.DefaultTransport)) }

func closeIdleConnections(base sealed[http.RoundTripper]) {
	if base == nil {
		return
	}
	if c, ok := base().(interface{ CloseIdleConnections() }); ok {
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
