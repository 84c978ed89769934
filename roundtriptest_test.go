package routeauth_test

import (
	"net/http"
	"testing"

	"example.com/routeauth/roundtriptest"
)

// Rules 1 to 8 and 11: every wrapper passes the contract suite.
func TestEveryWrapperKeepsTheContract(t *testing.T) {
	forEachWrapper(t, func(t *testing.T, w wrapper, over func(http.RoundTripper) http.RoundTripper) {
		roundtriptest.Test(t, over, roundtriptest.WithURL(w.url), roundtriptest.WithCredential(w.field))
	})
}
