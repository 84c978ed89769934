package routeauth_test

import (
	"net/http"
	"testing"

	"example.com/routeauth/roundtriptest"
)

// Rules 1 to 8 and 11: every wrapper passes the contract suite.
func TestEveryWrapperKeepsTheContract(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, _ func(http.RoundTripper) http.RoundTripper) {
		roundtriptest.Test(t, w.wrap,
			roundtriptest.Strict(),
			roundtriptest.WithURL(w.url),
			roundtriptest.WithCredential(w.field),
			roundtriptest.WithSkip("a 401 to a credential becomes an *UnauthorizedError", "response/401"),
			roundtriptest.WithSkip("the response's Request is the caller's, also where the base sent another URL", "advice/location"),
		)
	})
}
