package scope

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newScope(t *testing.T, baseURL string) Scope {
	s, errs := New(baseURL, false)
	require.Empty(t, errs)
	return s
}

func TestAScopeReadsWhatLiesBelowItsBaseURL(t *testing.T) {
	for baseURL, readings := range map[string]map[string]Reading{
		"https://api.example.com/v1/": {
			"https://api.example.com/v1":               {Inside, "/", ""},
			"https://api.example.com/v1/":              {Inside, "/", ""},
			"https://api.example.com/v1/a//b":          {Inside, "/a//b", ""},
			"https://api.example.com/v1/caf%C3%A9/%20": {Inside, "/café/ ", ""},
			"https://api.example.com/v1/caf%c3%a9":     {Inside, "/caf%c3%a9", ""},
			"https://api.example.com/v1/a%2Fb":         {Inside, "/a%2Fb", ""},
			"https://api.example.com/v1/100%25":        {Inside, "/100%", ""},
			"https://api.example.com/v1/%2541/é":       {Inside, "/%2541/%C3%A9", ""},
			"https://api.example.com/v1/%25%34%31":     {Inside, "/%25%34%31", ""},
			"https://api.example.com/v1/a/.%2E/b":      {Refused, "", ".%2E"},
			"https://api.example.com/v1/a/. /b":        {Refused, "", ".%20"},
			"https://api.example.com/v10":              {},
			"https://api.example.com/v%31":             {},
			"https://api.example.com":                  {},
			"https://evil.example/v1/..":               {},
		},
		"https://api.example.com": {
			"https://api.example.com":      {Inside, "/", ""},
			"https://api.example.com/a":    {Inside, "/a", ""},
			"https://api.example.com/a/..": {Refused, "", ".."},
		},
		"https://api.example.com/a%20b/(c)": {
			"https://api.example.com/a%20b/(c)/d%2F":  {Inside, "/d%2F", ""},
			"https://api.example.com/a b/(c)/d":       {}, // is sent as %28c%29, too
			"https://api.example.com/a%20b/%28c%29/d": {},
		},
	} {
		s := newScope(t, baseURL)
		for rawURL, want := range readings {
			u, err := url.Parse(rawURL)
			if assert.NoError(t, err) {
				assert.Equal(t, want, s.Read(u), "%s of %s", rawURL, baseURL)
			}
		}
	}
}

func TestTheZeroScopeIsEmpty(t *testing.T) {
	for _, u := range []*url.URL{{}, {Path: "/"}, {Opaque: "x"}, {Scheme: "https", Host: "api.example.com"}} {
		assert.Equal(t, Reading{}, new(Scope).Read(u))
	}
}

func TestAScopeTellsWhatItWasMadeOf(t *testing.T) {
	s := newScope(t, "https://API.example.com:443/v1/")
	assert.Equal(t, "https", s.Scheme())
	assert.Equal(t, "API.example.com:443", s.Host())
	assert.Equal(t, "/v1", s.Prefix())
	assert.Equal(t, "https://API.example.com:443/v1", s.BaseURL())
}

// A path that was escaped twice has an escape when it is decoded once, and must
// be escaped again.
func TestReadingAllocatesOnlyWhereAPathWasEscapedTwice(t *testing.T) {
	s := newScope(t, "https://api.example.com/v1")
	for rawURL, want := range map[string]float64{
		"https://evil.example/v1/a":             0,
		"https://api.example.com/v2/a":          0,
		"https://api.example.com/v1/a":          0,
		"https://api.example.com/v1/a%2Fb":      0,
		"https://api.example.com/v1/a%20b/é":    0,
		"https://api.example.com/v1/100%25/%25": 0,
		"https://api.example.com/v1/a%252Fb":    1,
	} {
		u, err := url.Parse(rawURL)
		require.NoError(t, err)
		assert.Equal(t, want, testing.AllocsPerRun(5, func() { s.Read(u) }), rawURL)
	}
}
