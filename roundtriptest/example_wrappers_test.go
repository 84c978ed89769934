package roundtriptest_test

import (
	"net/http"
	"testing"

	"example.com/routeauth/roundtriptest"
)

// The examples are not run, for want of a *testing.T. Their wrappers are
// examples too, of which only session has no CloseIdleConnections.
func TestTheWrappersOfTheExamplesKeepTheContract(t *testing.T) {
	t.Run("userAgent", func(t *testing.T) {
		roundtriptest.Test(t, func(base http.RoundTripper) (http.RoundTripper, error) {
			return &userAgent{"tryon/1.0", base}, nil
		}, roundtriptest.Strict())
	})
	t.Run("session", func(t *testing.T) {
		roundtriptest.Test(t,
			func(base http.RoundTripper) (http.RoundTripper, error) { return newSession("0123", base) },
			roundtriptest.WithCredential(sessionHeader),
			roundtriptest.WithURL("https://shop.example.com/v2/orders?page=1"),
			roundtriptest.WithRefusal(func(base http.RoundTripper) (http.RoundTripper, error) { return newSession("", base) }),
			roundtriptest.Strict(),
			roundtriptest.WithSkip("the example is short", "advice/idle-connections"),
		)
	})
}
