package routeauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rotatingSource is a SecretDiscarder that moves on to its next secret when one
// is rejected.
type rotatingSource struct {
	secrets   []routeauth.Secret
	asked     int
	discarded []string
}

func (s *rotatingSource) Secret(context.Context) (routeauth.Secret, error) {
	s.asked++
	return s.secrets[0], nil
}

func (s *rotatingSource) Discard(_ context.Context, rejected routeauth.Secret) {
	s.discarded = append(s.discarded, string(rejected))
	if len(s.secrets) > 1 && s.secrets[0] == rejected {
		s.secrets = s.secrets[1:]
	}
}

// keyRejecting answers 401 to requests with one of these keys.
func keyRejecting(keys ...string) *base {
	return &base{respond: func(req *http.Request, _ int) (*http.Response, error) {
		for _, key := range keys {
			if req.Header.Get("X-Api-Key") == key {
				return answer(req, http.StatusUnauthorized, `{"detail":"no `+key+`"}`), nil
			}
		}
		return answer(req, http.StatusOK, ""), nil
	}}
}

func newKeyedTransport(t testing.TB, source routeauth.SecretSource, b http.RoundTripper, opts ...routeauth.Option) *routeauth.Transport {
	t.Helper()
	policy, err := routeauth.NewPolicy(apiURL, routes)
	require.NoError(t, err)
	transport, err := routeauth.New(policy, routeauth.APIKeyAuth{Source: source}, b, opts...)
	require.NoError(t, err)
	return transport
}

// Rule 24: a key that was rotated is read again, and the request sent once more.
func TestARejectedKeyIsReplacedOnce(t *testing.T) {
	source := &rotatingSource{secrets: []routeauth.Secret{"old", "new", "newest"}}
	b := keyRejecting("old")
	req := newRequest(t, http.MethodPost, mandatoryURL, "body")
	resp, err := newKeyedTransport(t, source, b).RoundTrip(req)
	require.NoError(t, err)
	assert.Same(t, req, resp.Request)
	require.Len(t, b.sent(), 2)
	for i, want := range []string{"old", "new"} {
		assert.Equal(t, want, b.sent()[i].Header.Get("X-Api-Key"))
		assert.Equal(t, "body", b.sent()[i].Body)
	}
	assert.Equal(t, []string{"old"}, source.discarded)
}

// Rule 24: in every other case the 401 is final, and shows neither key.
func TestA401ToAKeyOfASourceIsFinal(t *testing.T) {
	onlyOnce := newRequest(t, http.MethodPost, mandatoryURL, "body")
	onlyOnce.GetBody = nil
	for name, test := range map[string]struct {
		source routeauth.SecretSource
		req    *http.Request
		sent   int
	}{
		"a source that is told nothing": {secretFunc("old"), nil, 1},
		"a source without another key":  {&rotatingSource{secrets: []routeauth.Secret{"old"}}, nil, 1},
		"the new key is rejected too":   {&rotatingSource{secrets: []routeauth.Secret{"old", "new", "newest"}}, nil, 2},
		"a body that is had once":       {&rotatingSource{secrets: []routeauth.Secret{"old", "newest"}}, onlyOnce, 1},
	} {
		req := test.req
		if req == nil {
			req = newRequest(t, http.MethodPost, mandatoryURL, "body")
		}
		b := keyRejecting("old", "new")
		_, err := newKeyedTransport(t, test.source, b).RoundTrip(req)
		var e *routeauth.UnauthorizedError
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, routeauth.SchemeAPIKey, e.Scheme)
		assert.Equal(t, "no REDACTED", e.Detail, name)
		assert.Len(t, b.sent(), test.sent, name)
	}
}

// Rule 18: a source that fails, panics or returns what is no key, sends nothing.
func TestARequestWithoutASecretIsNotSent(t *testing.T) {
	down := errors.New("the vault is sealed")
	for name, test := range map[string]struct {
		source    func(context.Context) (routeauth.Secret, error)
		temporary bool
		says      string
	}{
		"fails":          {func(context.Context) (routeauth.Secret, error) { return "", down }, true, "sealed"},
		"fails for good": {func(context.Context) (routeauth.Secret, error) { return "", routeauth.Permanent(down) }, false, "sealed"},
		"panics":         {func(context.Context) (routeauth.Secret, error) { panic("hunter2") }, true, "panicked"},
		"empty":          {func(context.Context) (routeauth.Secret, error) { return "", nil }, false, "is empty"},
		"line break":     {func(context.Context) (routeauth.Secret, error) { return "hunter2\n", nil }, false, "file"},
	} {
		b, body := &base{}, newTrackedBody("body")
		req := newRequest(t, http.MethodPost, mandatoryURL, "")
		req.Body = body
		_, err := newKeyedTransport(t, routeauth.SecretSourceFunc(test.source), b).RoundTrip(req)
		var e *routeauth.CredentialError
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, test.temporary, e.Temporary(), name)
		assert.Equal(t, routeauth.SchemeAPIKey, e.Scheme, name)
		assert.ErrorContains(t, err, test.says, name)
		assert.NotContains(t, err.Error(), "hunter2", name)
		assert.Empty(t, b.sent(), name)
		assert.Equal(t, 1, body.closes(), name)
	}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func newFileSource(t testing.TB, path string) *routeauth.FileSecretSource {
	t.Helper()
	source, err := routeauth.NewFileSecretSource(path)
	require.NoError(t, err)
	return source
}

// secretIn returns what a source has.
func secretIn(t testing.TB, source routeauth.SecretSource) string {
	t.Helper()
	secret, err := source.Secret(t.Context())
	require.NoError(t, err)
	return string(secret)
}

// Rule 34: a file is looked at once a second, and read when it is another one.
func TestAFileIsLookedAtOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "key")
		write(t, path, "first \r\n\n")
		source := newFileSource(t, path)
		assert.Equal(t, "first", secretIn(t, source), "white space at the end is cut off")

		write(t, path, "second and longer")
		advance(999 * time.Millisecond)
		assert.Equal(t, "first", secretIn(t, source))
		advance(time.Millisecond)
		assert.Equal(t, "second and longer", secretIn(t, source))
	})
}

// Rule 34: Kubernetes replaces a mounted secret by switching a symbolic link,
// and removes the old file.
func TestAFileBehindALinkThatIsSwitchedIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		mount := func(version, key string) {
			require.NoError(t, os.Mkdir(filepath.Join(dir, version), 0o700))
			write(t, filepath.Join(dir, version, "key"), key)
			require.NoError(t, os.Symlink(version, filepath.Join(dir, "..data_tmp")))
			require.NoError(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
		}
		mount("..1", "key-1")
		require.NoError(t, os.Symlink(filepath.Join("..data", "key"), filepath.Join(dir, "key")))
		source := newFileSource(t, filepath.Join(dir, "key"))
		require.Equal(t, "key-1", secretIn(t, source))

		info, err := os.Stat(filepath.Join(dir, "key"))
		require.NoError(t, err)
		mount("..2", "key-2") // of the same size
		require.NoError(t, os.Chtimes(filepath.Join(dir, "..2", "key"), info.ModTime(), info.ModTime()))
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "..1")))
		advance(time.Second)
		assert.Equal(t, "key-2", secretIn(t, source))
	})
}

// Rule 34: a read that fails serves the last value, and is told to the Trace.
// With none yet it is a temporary error that names the file.
func TestAFileThatCannotBeReadServesItsLastValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "key")
		source := newFileSource(t, path)
		var fetches []routeauth.TokenFetch
		trace := &routeauth.Trace{TokenFetched: func(_ context.Context, f routeauth.TokenFetch) { fetches = append(fetches, f) }}
		b := &base{}
		transport := newKeyedTransport(t, source, b, routeauth.WithTrace(trace))
		send := func() error {
			_, err := transport.RoundTrip(newRequest(t, "GET", mandatoryURL, ""))
			advance(time.Second)
			return err
		}

		err := send()
		var e *routeauth.CredentialError
		require.ErrorAs(t, err, &e)
		assert.True(t, e.Temporary())
		assert.ErrorContains(t, err, path)
		assert.ErrorIs(t, err, os.ErrNotExist)
		require.Len(t, fetches, 1)
		assert.Equal(t, routeauth.SchemeAPIKey, fetches[0].Scheme)

		write(t, path, "key")
		require.NoError(t, send())
		require.NoError(t, send(), "it is looked at and not read")
		require.Len(t, fetches, 2)
		assert.NoError(t, fetches[1].Err)

		for _, broken := range []func(){
			func() { write(t, path, " \n") },
			func() { write(t, path, strings.Repeat("x", 64<<10+1)) },
			func() { write(t, path, "two\nlines\n") },
			func() { require.NoError(t, os.Remove(path)) },
			func() { require.NoError(t, os.Mkdir(path, 0o700)) },
		} {
			broken()
			before := len(fetches)
			require.NoError(t, send())
			require.Len(t, fetches, before+1)
			assert.Error(t, fetches[before].Err)
			assert.ErrorContains(t, fetches[before].Err, path)
		}
		for _, sent := range b.sent() {
			assert.Equal(t, "key", sent.Header.Get("X-Api-Key"))
		}
	})
}

// Rule 34: after a 401 the file is read, not only looked at: the same second, size
// and time are no excuse.
func TestAFileIsReadAfterA401(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "key")
		write(t, path, "old-key")
		info, err := os.Stat(path)
		require.NoError(t, err)
		b := keyRejecting("old-key")
		transport := newKeyedTransport(t, newFileSource(t, path), b)
		_, err = transport.RoundTrip(newRequest(t, "GET", mandatoryURL, ""))
		require.ErrorIs(t, err, routeauth.ErrUnauthorized)

		write(t, path, "new-key")
		require.NoError(t, os.Chtimes(path, info.ModTime(), info.ModTime()))
		_, err = transport.RoundTrip(newRequest(t, "POST", mandatoryURL, "body"))
		require.NoError(t, err)
		assert.Equal(t, "new-key", b.sent()[len(b.sent())-1].Header.Get("X-Api-Key"))
	})
}

func TestASecretSourceThatNoConstructorMadeFails(t *testing.T) {
	_, err := routeauth.NewFileSecretSource("")
	assert.ErrorContains(t, err, "path")
	for _, source := range []*routeauth.FileSecretSource{nil, {}} {
		_, err := source.Secret(t.Context())
		assert.ErrorContains(t, err, "NewFileSecretSource")
		source.Discard(t.Context(), "key")
	}
}

// Rule 31 and the constructors of each Auth.
// Rule 17: a prefix may end in another way than with a scheme's space.
func TestAPrefixMayBeMoreThanAScheme(t *testing.T) {
	for _, auth := range []routeauth.HeaderAuth{
		{Scheme: "a", Name: "Authorization", Prefix: "Token token=", Value: "b"},
		{Scheme: "a", Name: "Authorization", Prefix: "key=", Value: "b"},
		{Scheme: "a", Name: "X-A", Prefix: "k", Value: "K_b"},
	} {
		_, _, err := auth.RoundTrippers(&base{})
		assert.NoError(t, err, auth.Prefix)
	}
}

func TestAnAuthReportsWhatIsWrongWithIt(t *testing.T) {
	source := secretFunc("key")
	for name, test := range map[string]struct {
		auth routeauth.Auth
		says []string
	}{
		"key and source":           {routeauth.APIKeyAuth{APIKey: "key", Source: source}, []string{"both APIKey and Source"}},
		"neither key nor source":   {routeauth.APIKeyAuth{}, []string{"API key is empty"}},
		"nil source":               {routeauth.APIKeyAuth{Source: routeauth.SecretSourceFunc(nil)}, []string{"secret source is a nil"}},
		"value and source":         {routeauth.HeaderAuth{Scheme: "a", Name: "b", Value: "c", Source: source}, []string{"both Value and Source"}},
		"neither value nor source": {routeauth.HeaderAuth{Scheme: "a", Name: "b"}, []string{"header value is empty"}},
		"everything of a header":   {routeauth.HeaderAuth{Name: "b c", Value: "d\n"}, []string{"scheme is empty", "header name", "header value"}},
		"everything of a source":   {routeauth.HeaderAuth{Name: "Host", Prefix: "a\nb", Source: source}, []string{"scheme is empty", "net/http manages", "header prefix"}},
		"a colon":                  {routeauth.BasicAuth{Username: "a:b", Password: "c"}, []string{"colon"}},
		"nobody":                   {routeauth.BasicAuth{}, []string{"user name and password are empty"}},
		"a placeholder":            {routeauth.BasicAuth{Username: "ada", Password: "REDACTED"}, []string{"placeholder"}},
		"control characters":       {routeauth.BasicAuth{Username: "a\n", Password: "b\x00"}, []string{"user name", "password"}},
		"no token source":          {routeauth.BearerAuth{}, []string{"token source is nil"}},
		"no halves":                {routeauth.SplitAuth{}, []string{"Mandatory of SplitAuth"}},
		"both halves":              {routeauth.SplitAuth{Mandatory: routeauth.BearerAuth{}, Optional: routeauth.BasicAuth{}}, []string{"token source", "user name"}},
		"nil half":                 {routeauth.SplitAuth{Mandatory: routeauth.APIKeyAuth{APIKey: "k"}, Optional: (*routeauth.APIKeyAuth)(nil)}, []string{"Optional of SplitAuth"}},
		"two nil halves":           {routeauth.SplitAuth{Mandatory: (*routeauth.APIKeyAuth)(nil), Optional: (*routeauth.APIKeyAuth)(nil)}, []string{"Mandatory of SplitAuth", "Optional of SplitAuth"}},
		"a prefix without a space": {routeauth.HeaderAuth{Scheme: "a", Name: "authorization", Prefix: "Bearer", Value: "b"}, []string{"needs a space between the scheme and the credential"}},
		"the prefix twice":         {routeauth.HeaderAuth{Scheme: "a", Name: "X-A", Prefix: "Token ", Value: "token b"}, []string{"begins with the prefix, which the transport adds by itself"}},
		"a line break":             {routeauth.HeaderAuth{Scheme: "a", Name: "X-A", Value: "b\n"}, []string{"it ends in a line break, as the text of a file does"}},
		"a password's line break":  {routeauth.BasicAuth{Username: "a", Password: "b\r\n"}, []string{"it ends in a line break, as the text of a file does"}},
		"half of a half":           {routeauth.SplitAuth{Mandatory: routeauth.APIKeyAuth{}}, []string{"API key is empty"}},
	} {
		mandatory, optional, err := test.auth.RoundTrippers(&base{})
		assert.Nil(t, mandatory, name)
		assert.Nil(t, optional, name)
		for _, says := range test.says {
			assert.ErrorContains(t, err, says, name)
		}
	}
}

// Rule 26: of a basic credential the password and the base64 are hidden, of a
// header's value the part without the prefix too.
func TestA401HidesEveryFormOfACredential(t *testing.T) {
	for _, test := range []struct {
		auth    routeauth.Auth
		secrets []string
		scheme  routeauth.Scheme
	}{
		{routeauth.BasicAuth{Username: "ada", Password: "lovelace"}, []string{"lovelace", "YWRhOmxvdmVsYWNl"}, routeauth.SchemeBasic},
		{routeauth.BasicAuth{Username: "sk_live_1"}, []string{"sk_live_1", "c2tfbGl2ZV8xOg=="}, routeauth.SchemeBasic},
		{routeauth.HeaderAuth{Scheme: "gateway", Name: "X-Gateway", Prefix: "key=", Value: "sesame"}, []string{"key=sesame", "sesame"}, "gateway"},
		{routeauth.HeaderAuth{Scheme: "gateway", Name: "X-Gateway", Prefix: "key=", Source: secretFunc("sesame")}, []string{"key=sesame", "sesame"}, "gateway"},
		{routeauth.BearerAuth{Source: handsOut("opaque-token")}, []string{"opaque-token"}, routeauth.SchemeBearer},
	} {
		policy, err := routeauth.NewPolicy(apiURL, nil)
		require.NoError(t, err)
		transport, err := routeauth.New(policy, test.auth, denying(withBody("you sent "+strings.Join(test.secrets, " and "))))
		require.NoError(t, err)
		_, err = transport.RoundTrip(newRequest(t, "GET", mandatoryURL, ""))
		var e *routeauth.UnauthorizedError
		require.ErrorAs(t, err, &e)
		assert.Equal(t, test.scheme, e.Scheme)
		for _, secret := range test.secrets {
			assert.NotContains(t, fmt.Sprintf("%+v %s", e, e.Body), secret)
		}
	}
}

// A SplitAuth without its second half is for a policy without an optional route.
func TestHalfASplitAuthIsForMandatoryRoutesAlone(t *testing.T) {
	auth := routeauth.SplitAuth{Mandatory: routeauth.APIKeyAuth{APIKey: "key"}}
	for table, works := range map[*routeauth.Routes]bool{
		{"GET /status": routeauth.Public}:   true,
		{"GET /status": routeauth.Optional}: false,
	} {
		policy, err := routeauth.NewPolicy(apiURL, *table)
		require.NoError(t, err)
		_, err = routeauth.New(policy, auth, &base{})
		assert.Equal(t, works, err == nil, "%v: %v", *table, err)
	}
}

// The second half of a SplitAuth is what Optional makes for optional endpoints, or
// what it makes for mandatory ones where it makes nothing else.
func TestTheOptionalHalfOfASplitAuthIsForOptionalEndpoints(t *testing.T) {
	key := routeauth.APIKeyAuth{APIKey: "key"}
	for field, optional := range map[string]routeauth.Auth{
		routeauth.HeaderUserID:        routeauth.JWTAuth{SubscriptionID: subscriptionID, Source: handsOut(token)},
		routeauth.HeaderAuthorization: routeauth.JWTAuth{Source: handsOut(token)},
	} {
		b := &base{}
		transport, err := routeauth.New(newPolicy(t, apiURL, routes), routeauth.SplitAuth{Mandatory: key, Optional: optional}, b)
		require.NoError(t, err)
		_, err = transport.RoundTrip(newRequest(t, "GET", optionalURL, ""))
		require.NoError(t, err)
		sent := b.only(t).Header
		assert.Len(t, sent, 1)
		assert.Contains(t, sent, field)
	}
}

// Rules 33 and 34: a secret that cannot be sent is one that was not had.
func TestATraceIsToldOfASecretThatCannotBeSent(t *testing.T) {
	for name, secret := range map[string]routeauth.Secret{
		"two lines": "a\nb", "empty": "", "the prefix twice": "Token abc",
	} {
		source := routeauth.SecretSourceFunc(func(context.Context) (routeauth.Secret, error) { return secret, nil })
		var fetches []routeauth.TokenFetch
		trace := &routeauth.Trace{TokenFetched: func(_ context.Context, f routeauth.TokenFetch) { fetches = append(fetches, f) }}
		auth := routeauth.HeaderAuth{Scheme: "own", Name: "X-Own", Prefix: "Token ", Source: source}
		_, err := newTraced(t, auth, &base{}, routeauth.WithTrace(trace)).RoundTrip(newRequest(t, "GET", mandatoryURL, ""))
		var e *routeauth.CredentialError
		require.ErrorAs(t, err, &e, name)
		assert.False(t, e.Temporary(), name)
		require.Len(t, fetches, 1, name)
		assert.Error(t, fetches[0].Err, name)
	}
}
