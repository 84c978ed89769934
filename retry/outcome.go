package retry

import (
	"errors"
	"fmt"
	"net/http"
)

// roundTrip sends req with transport. Whatever that returns, the caller gets a
// response or an error, never both and never neither.
func roundTrip(transport http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := transport.RoundTrip(req)
	switch {
	case err != nil:
		closeResponse(resp)
		return nil, sound(err)
	case resp == nil:
		return nil, errors.New("retry: the transport returned neither a response nor an error")
	}
	return resp, nil
}

// sound returns err if it can be read and searched, as every policy does. A nil
// pointer, or an error that panics when it is asked, becomes one that says so.
func sound(err error) (checked error) {
	defer func() {
		if recover() != nil {
			checked = fmt.Errorf("retry: the transport returned an error that cannot be read (%T)", err)
		}
	}()
	if isNil(err) {
		return fmt.Errorf("retry: the transport returned a nil %T as its error", err)
	}
	_ = err.Error()
	_ = errors.Is(err, errSought) // asks every error in err
	return err
}

// errSought is in no error.
var errSought = errors.New("sought and not found")
