// Package sound makes what somebody else's code hands over safe to use.
package sound

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"

	"example.com/routeauth/internal/problem"
)

// RoundTrip sends req with transport. Whatever that returns, the caller gets a
// response or an error, and never both or neither: the error of a transport that
// returns both counts, as it does for [http.Client]. Errors name the transport as
// whose does, such as "routeauth: the base".
func RoundTrip(whose string, transport http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := transport.RoundTrip(req)
	if err != nil {
		if resp != nil {
			problem.Close(resp)
		}
		return nil, Error(whose, err)
	}
	if resp == nil {
		return nil, fmt.Errorf("%s returned neither a response nor an error", whose)
	}
	return resp, nil
}

// Error returns err if it can be read and searched. An error that is a nil
// pointer, or that panics when it is asked, becomes one that says so, and whose it
// was.
func Error(whose string, err error) (checked error) {
	if err == nil {
		return nil
	}
	defer func() {
		if recover() != nil {
			checked = fmt.Errorf("%s returned an error that cannot be read (%T)", whose, err)
		}
	}()
	if IsTypedNil(err) {
		return fmt.Errorf("%s returned a nil %T as its error", whose, err)
	}
	_ = err.Error()
	_ = errors.Is(err, errSought) // asks every error in err
	return err
}

// errSought is in no error.
var errSought = errors.New("sought and not found")

// CloseBody closes the body of a request that does not reach a transport, as the
// [http.RoundTripper] contract requires.
func CloseBody(req *http.Request) {
	if req != nil && req.Body != nil {
		_ = req.Body.Close()
	}
}

// IsTypedNil reports whether value is a nil pointer, function, map, slice or channel
// in an interface that is not nil itself.
func IsTypedNil(value any) bool {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
		return v.IsNil()
	}
	return false
}
