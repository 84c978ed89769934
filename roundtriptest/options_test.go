package roundtriptest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnOptionThatMakesNoSenseIsAnError(t *testing.T) {
	wrap := wrapping(http.RoundTripper.RoundTrip)
	for name, c := range map[string]struct {
		wrap WrapFunc
		opts []Option
		says string
	}{
		"nil wrap":             {says: "wrap is nil"},
		"nil option":           {wrap, []Option{nil}, "an option is nil"},
		"relative URL":         {wrap, []Option{WithURL("/v1")}, "WithURL: not an absolute"},
		"URL without a host":   {wrap, []Option{WithURL("https:///v1")}, "WithURL: not an absolute"},
		"URL of a port alone":  {wrap, []Option{WithURL("https://:443/")}, "WithURL: not an absolute"},
		"URL of another kind":  {wrap, []Option{WithURL("ftp://example.com/")}, "WithURL: not an absolute"},
		"URL with user info":   {wrap, []Option{WithURL("https://user:hidden@example.com/")}, "without user info"},
		"no URL":               {wrap, []Option{WithURL("https://user:hidden@example.com/%zz")}, "WithURL: not an absolute"},
		"empty header":         {wrap, []Option{WithCredential("")}, "the header name is empty"},
		"two headers":          {wrap, []Option{WithCredential("A"), WithCredential("B")}, "run Test once for each"},
		"nil refusal":          {wrap, []Option{WithRefusal(nil)}, "WithRefusal: wrap is nil"},
		"two refusals":         {wrap, []Option{WithRefusal(wrap), WithRefusal(wrap)}, "WithRefusal is given twice"},
		"unknown clause":       {wrap, []Option{WithSkip("because", "body/color")}, `no clause "body/color"; there are sent/once, `},
		"one unknown clause":   {wrap, []Option{WithSkip("because", "sent/body", "body/color")}, `no clause "body/color"`},
		"no clause":            {wrap, []Option{WithSkip("because")}, `no clause is named for the reason "because"`},
		"skip without reason":  {wrap, []Option{WithSkip(" ", "sent/body")}, `the reason for skipping ["sent/body"] is empty`},
		"clause skipped twice": {wrap, []Option{WithSkip("a", "sent/body"), WithSkip("b", "sent/body")}, `"sent/body" is skipped twice`},
		"clause named twice":   {wrap, []Option{WithSkip("a", "sent/body", "sent/body")}, `"sent/body" is skipped twice`},
	} {
		_, err := newSuite(c.wrap, c.opts...)
		require.ErrorContains(t, err, c.says, name)
		assert.NotContains(t, err.Error(), "hidden", name)
	}
}

func TestAllMistakesAreReportedAtOnce(t *testing.T) {
	_, err := newSuite(nil, WithURL(""), WithSkip("", ""))
	for _, mistake := range []string{"wrap is nil", "WithURL: ", "no clause \"\"", "the reason"} {
		assert.ErrorContains(t, err, mistake)
	}
}

func TestOneReasonSkipsSeveralClauses(t *testing.T) {
	s, err := newSuite(wrapping(http.RoundTripper.RoundTrip), WithSkip("it retries", "sent/once", "sent/once-on-error"))
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"sent/once": "it retries", "sent/once-on-error": "it retries"}, s.skips)
}

func TestEachOptionAddsItsClauses(t *testing.T) {
	themes := func(opts ...Option) map[string]bool {
		s, err := newSuite(wrapping(http.RoundTripper.RoundTrip), opts...)
		require.NoError(t, err)
		themes := make(map[string]bool)
		for _, c := range s.clauses() {
			themes[c.theme()] = true
		}
		return themes
	}
	plain := map[string]bool{"sent": true, "request": true, "body": true, "context": true, "response": true, "transport": true}
	assert.Equal(t, plain, themes())

	strict := themes(Strict())
	assert.True(t, strict["advice"])
	assert.Len(t, strict, len(plain)+1)

	credential := themes(WithCredential("Authorization"))
	assert.True(t, credential["credential"])
	assert.True(t, credential["redirect"])
	assert.Len(t, credential, len(plain)+2)
}
