package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/routeauth/integration/nethttp/wrapped"
)

func TestOnlyWhatIsAmongTheTestsIsListed(t *testing.T) {
	choice := wrapped.Choice{Place: wrapped.Below, Wrapper: wrapped.Wrapper{Name: "any"}}
	assert.Len(t, newTrial(choice, []testName{parseTestName("net/http.TestIssue3595/h1")}).listed, 1)
	assert.Empty(t, newTrial(choice, []testName{parseTestName("net/http.TestHeader")}).listed)
}
