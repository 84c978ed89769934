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
		wrap wrapFunc
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
		"unknown clause":       {wrap, []Option{WithSkip("body/color", "because")}, `no clause "body/color"; there are request/fields, `},
		"skip without reason":  {wrap, []Option{WithSkip("body/whole", " ")}, `the reason for skipping "body/whole" is empty`},
		"clause skipped twice": {wrap, []Option{WithSkip("body/whole", "a"), WithSkip("body/whole", "b")}, "skipped twice"},
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
