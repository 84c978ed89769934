package routeauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

var errNoURL = errors.New("the request has no URL")

// target is what a decision rests on, in a copy: what the caller makes of the
// request meanwhile sends nothing astray.
type target struct {
	method string
	url    url.URL
}

func targetOf(req *http.Request) target { return target{req.Method, *req.URL} }

// methodOf returns the method of a request as it goes on the wire.
func methodOf(req *http.Request) string {
	if req == nil || req.Method == "" {
		return http.MethodGet
	}
	return req.Method
}

// locationOf returns a URL without the parts in which secrets travel.
func locationOf(u *url.URL) string {
	if u == nil {
		return ""
	}
	host := u.Host[strings.LastIndexByte(u.Host, '@')+1:] // user info that was put there by hand
	return (&url.URL{Scheme: u.Scheme, Host: host, Path: u.Path, RawPath: u.RawPath}).String()
}

// sameURL reports whether two URLs are written the same way.
func sameURL(a, b *url.URL) bool {
	if *a == *b {
		return true
	}
	x, y := *a, *b
	x.User, y.User = nil, nil
	return x == y && a.User.String() == b.User.String()
}

// contextOf returns the context of req, which ends also when its Cancel channel
// is closed.
func contextOf(req *http.Request) (context.Context, context.CancelFunc) {
	//lint:ignore SA1019 a caller may still set Cancel
	canceled := req.Cancel
	if canceled == nil {
		return req.Context(), func() {}
	}
	ctx, cancel := context.WithCancel(req.Context())
	go func() {
		select {
		case <-canceled:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
