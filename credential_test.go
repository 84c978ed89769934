package routeauth_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// credentialConstructors take a credential that is one word.
var credentialConstructors = map[string]func(value string) (any, error){
	"API key": func(value string) (any, error) {
		return anyOf(routeauth.NewAPIKeyTransport(routeauth.Secret(value), nil))
	},
	"subscription ID": func(value string) (any, error) { return anyOf(routeauth.NewSubscriptionTransport(value, nil)) },
	"token": func(value string) (any, error) {
		return routeauth.NewStaticTokenSource(routeauth.Secret(value))
	},
	"API key in APIKeyAuth": func(value string) (any, error) {
		mandatory, optional, err := routeauth.APIKeyAuth{APIKey: routeauth.Secret(value)}.RoundTrippers(&base{})
		if mandatory == nil && optional == nil {
			return nil, err
		}
		return mandatory, err
	},
	"subscription ID in JWTAuth": func(value string) (any, error) {
		policy, err := routeauth.NewPolicy(apiURL, routes)
		if err != nil {
			return nil, err
		}
		transport, err := routeauth.New(policy, routeauth.JWTAuth{SubscriptionID: value, Source: handsOut("abc")}, &base{})
		if transport == nil {
			return nil, err
		}
		return transport, err
	},
}

// anyOf keeps a nil pointer nil.
func anyOf[T any](value *T, err error) (any, error) {
	if value == nil {
		return nil, err
	}
	return value, err
}

func newHeaderValue(value string) (any, error) {
	return anyOf(routeauth.NewHeaderTransport("token", "X-Token", routeauth.Secret(value), nil))
}

// Rule 17: the mistakes that people make are named.
func TestALikelyMistakeIsNamed(t *testing.T) {
	for name, make := range credentialConstructors {
		bearer := "it begins with \"Bearer \", which does not belong to it"
		if name == "token" {
			bearer = "it begins with \"Bearer \", which the transport adds by itself"
		}
		for value, want := range map[string]string{
			"Bearer zq179vk4":     bearer,
			"bearer zq179vk4\r\n": bearer,
			`"zq179vk4"`:          "it stands in quotes, which do not belong to it",
			"'zq179vk4'":          "it stands in quotes, which do not belong to it",
			"\"zq179vk4\"\n":      "it stands in quotes, which do not belong to it",
			"zq179vk4\n":          "it ends in a line break, as the text of a file does",
		} {
			made, err := make(value)
			assert.Nil(t, made, "%s %q", name, value)
			assert.ErrorContains(t, err, want, "%s %q", name, value)
			assert.NotContains(t, fmt.Sprint(err), "zq17", "%s %q", name, value)
		}
	}
}

// assertByteRefused fails unless err names the byte and its offset and shows
// nothing of the value around it.
func assertByteRefused(t *testing.T, made any, err error, c byte, offset int, name string) {
	t.Helper()
	if !assert.Error(t, err, "%s, byte %#02x at %d", name, c, offset) {
		return
	}
	assert.Nil(t, made, name)
	assert.Regexp(t, fmt.Sprintf(`\bbyte 0x%02x at offset %d\b`, c, offset), err.Error(), name)
	for _, part := range []string{"zq17", "9vk4"} {
		assert.NotContains(t, err.Error(), part, name)
	}
	assertOnePrintableLine(t, err.Error())
}

// around returns a value with c in the middle, at its beginning and at its end,
// and where c is.
func around(c byte) map[string]int {
	return map[string]int{
		"zq17" + string([]byte{c}) + "9vk4": 4,
		string([]byte{c}) + "zq179vk4":      0,
		"zq179vk4" + string([]byte{c}):      8,
	}
}

// Rule 17: printable ASCII without spaces.
func TestACredentialIsPrintableASCIIWithoutSpaces(t *testing.T) {
	for name, construct := range credentialConstructors {
		for c := range 256 {
			for value, offset := range around(byte(c)) {
				made, err := construct(value)
				if '!' <= c && c <= '~' {
					assert.NoError(t, err, "%s, byte %#02x", name, c)
					assert.NotNil(t, made)
					continue
				}
				assertByteRefused(t, made, err, byte(c), offset, name)
			}
		}
	}
}

// Rule 17: of several bytes that do not belong there, the first.
func TestTheFirstOffendingByteIsNamed(t *testing.T) {
	for name, construct := range credentialConstructors {
		made, err := construct("zq17\t9vk4\nzq17 ")
		assertByteRefused(t, made, err, '\t', 4, name)
	}
	made, err := newHeaderValue("zq17\r\n9vk4\x00")
	assertByteRefused(t, made, err, '\r', 4, "header value")
}

// Rule 17: a field value of RFC 9110, section 5.5.
func TestAHeaderValueIsAFieldValue(t *testing.T) {
	for c := range 256 {
		for value, offset := range around(byte(c)) {
			made, err := newHeaderValue(value)
			blank := c == ' ' || c == '\t'
			atAnEnd := offset == 0 || offset == len(value)-1
			if blank && !atAnEnd || !blank && c >= ' ' && c != 0x7f {
				assert.NoError(t, err, "byte %#02x at %d", c, offset)
				assert.NotNil(t, made)
				continue
			}
			assertByteRefused(t, made, err, byte(c), offset, "header value")
		}
	}
	for _, value := range []string{"Token abc def", "a\tb", `Digest a="b c", d=e`, "schlüssel"} {
		_, err := newHeaderValue(value)
		assert.NoError(t, err, value)
	}
	for _, value := range []string{" ", "\t", "   "} {
		made, err := newHeaderValue(value)
		assertByteRefused(t, made, err, value[0], 0, "header value")
	}
}

// Rule 17.
func TestAnEmptyCredentialIsRefused(t *testing.T) {
	for name, construct := range withHeaderValue() {
		made, err := construct("")
		assert.ErrorContains(t, err, "is empty", name)
		assert.Nil(t, made, name)
	}
}

// Rule 17: what a marshalled Secret becomes, and nothing that resembles it.
func TestThePlaceholderIsRefusedAsACredential(t *testing.T) {
	for name, construct := range withHeaderValue() {
		made, err := construct("REDACTED")
		assert.ErrorContains(t, err, "placeholder REDACTED", name)
		assert.Nil(t, made, name)
		for _, value := range []string{"redacted", "Redacted", "REDACTED1", "XREDACTED"} {
			_, err := construct(value)
			assert.NoError(t, err, "%s, %s", name, value)
		}
	}
}

func withHeaderValue() map[string]func(string) (any, error) {
	all := map[string]func(string) (any, error){"header value": newHeaderValue}
	for name, construct := range credentialConstructors {
		all[name] = construct
	}
	return all
}

// Rule 17: the message says which argument is meant.
func TestTheErrorSaysWhichCredentialIsMeant(t *testing.T) {
	for name, construct := range withHeaderValue() {
		what, _, _ := strings.Cut(name, " in ")
		for _, value := range []string{"", "REDACTED", "a\nb"} {
			_, err := construct(value)
			require.Error(t, err, name)
			assert.True(t, strings.HasPrefix(err.Error(), "routeauth: "+what), "%s: %s", name, err)
		}
	}
}

// Rule 17: tokens of RFC 9110, section 5.6.2.
func TestAHeaderNameIsAFieldName(t *testing.T) {
	const allowed = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for c := range 256 {
		for name, offset := range around(byte(c)) {
			made, err := anyOf(routeauth.NewHeaderTransport("token", name, "abc", nil))
			if strings.IndexByte(allowed, byte(c)) >= 0 {
				assert.NoError(t, err, name)
				assert.NotNil(t, made, name)
				continue
			}
			// The value is passed in place of the name easily, as both may be
			// constants: what is no name is not shown either.
			assertByteRefused(t, made, err, byte(c), offset, "header name")
		}
	}
	_, err := routeauth.NewHeaderTransport("token", "", "abc", nil)
	assert.ErrorContains(t, err, "header name is empty")
}

// Rule 17: names that net/http sets itself, or would not send.
func TestAHeaderNameThatNetHTTPManagesIsRefused(t *testing.T) {
	for _, name := range []string{"Host", "Content-Length", "Transfer-Encoding", "Trailer", "Connection"} {
		for _, spelling := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
			transport, err := routeauth.NewHeaderTransport("token", spelling, "abc", nil)
			assert.ErrorContains(t, err, spelling)
			assert.ErrorContains(t, err, "net/http")
			assert.Nil(t, transport)
		}
	}
	for _, name := range []string{"Hosts", "X-Host", "Authorization", "Proxy-Authorization", "Cookie", "x-api-key"} {
		_, err := routeauth.NewHeaderTransport("token", name, "abc", nil)
		assert.NoError(t, err, name)
	}
}

// Rule 17 and the rule of shape: all mistakes at once, each on a line.
func TestEverythingThatIsWrongIsReportedAtOnce(t *testing.T) {
	var nilBase *http.Transport
	var nilSource routeauth.TokenSourceFunc
	jwtAuth := routeauth.JWTAuth{SubscriptionID: "a b", Source: nilSource}
	for name, test := range map[string]struct {
		construct func() (any, error)
		want      []string
	}{
		"header": {
			func() (any, error) { return anyOf(routeauth.NewHeaderTransport("", "X Token", "zq17\n9vk4", nilBase)) },
			[]string{"scheme is empty", "header name", "header value", "base is a nil *http.Transport"},
		},
		"API key": {
			func() (any, error) { return anyOf(routeauth.NewAPIKeyTransport("zq17 9vk4", nilBase)) },
			[]string{"API key", "base is a nil *http.Transport"},
		},
		"subscription": {
			func() (any, error) { return anyOf(routeauth.NewSubscriptionTransport("", nilBase)) },
			[]string{"subscription ID", "base is a nil *http.Transport"},
		},
		"JWTAuth": {
			func() (any, error) {
				_, _, err := jwtAuth.RoundTrippers(&base{})
				return nil, err
			},
			[]string{"subscription ID", "token source is a nil routeauth.TokenSourceFunc"},
		},
	} {
		made, err := test.construct()
		assert.Nil(t, made, name)
		require.Error(t, err, name)
		lines := strings.Split(err.Error(), "\n")
		assert.Len(t, lines, len(test.want), name)
		for _, want := range test.want {
			assert.True(t, slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "routeauth: "+want) }),
				"%s: no line begins with %q in %q", name, want, lines)
		}
		assert.NotContains(t, err.Error(), "zq17", name)
		var joined interface{ Unwrap() []error }
		assert.True(t, errors.As(err, &joined), name)
	}
}

// Rule 17: a Secret that was formatted into a value is its placeholder.
func TestAFormattedSecretIsRefusedAsAHeaderValue(t *testing.T) {
	made, err := newHeaderValue(fmt.Sprintf("Token %s", routeauth.Secret("sk-live")))
	assert.ErrorContains(t, err, "placeholder REDACTED")
	assert.Nil(t, made)
	_, err = newHeaderValue("Token XREDACTED")
	assert.NoError(t, err)
}
