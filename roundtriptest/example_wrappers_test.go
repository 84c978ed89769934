package roundtriptest_test

import (
	"net/http"
	"testing"

	"example.com/routeauth/roundtriptest"
)

// The examples are not run, for want of a *testing.T. Their wrappers are
// examples too.
func TestTheWrappersOfTheExamplesKeepTheContract(t *testing.T) {
	t.Run("userAgent", func(t *testing.T) {
		roundtriptest.Test(t, func(base http.RoundTripper) http.RoundTripper { return &userAgent{"tryon/1.0", base} })
	})
	t.Run("session", func(t *testing.T) {
		roundtriptest.Test(t,
			func(base http.RoundTripper) http.RoundTripper { return &session{"0123", base} },
			roundtriptest.WithCredential(sessionHeader),
			roundtriptest.WithRefusal(func(base http.RoundTripper) http.RoundTripper { return &session{"", base} }),
		)
	})
}
