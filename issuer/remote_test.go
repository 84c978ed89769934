package issuer_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// roundTripFunc is a function as a transport.
type roundTripFunc func(req *http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Rules 18 and 30.
func TestRemoteTokenSourceUnderstandsEveryAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		source    routeauth.TokenSource
		refusal   error  // of authorize
		method    string // in place of POST
		site      string // Sec-Fetch-Site, of a client in a browser
		params    routeauth.Params
		want      string
		after     time.Duration
		temporary bool
	}{
		"400": {
			params: routeauth.Params{"exp": "99999999999"},
			want:   `400 Bad Request: the name "exp" is a registered claim's, which no caller sets`,
		},
		"403": {
			refusal: errors.New("mallory is banned"),
			want:    "403 Forbidden: this caller may not have this token",
		},
		"401": {
			refusal:   &refusing{status: 401},
			want:      "401 Unauthorized: this caller is not known, or no longer",
			temporary: true,
		},
		"429": {
			refusal:   &refusing{status: 429},
			want:      "429 Too Many Requests: this caller asks for tokens too often",
			temporary: true,
		},
		"429 and a time": {
			refusal:   &refusing{429, 1500 * time.Millisecond},
			want:      "429 Too Many Requests: this caller asks for tokens too often",
			after:     2 * time.Second,
			temporary: true,
		},
		"403 for a page of another site": {
			site: "cross-site",
			want: "403 Forbidden: a page of another site gets no token",
		},
		"400 for two names": {
			params: routeauth.Params{"sku_id": "4", "SKU_ID": "5"},
			want:   `400 Bad Request: the names "SKU_ID" and "sku_id" differ only in case`,
		},
		"405": {
			method: http.MethodPut,
			want:   "405 Method Not Allowed: use GET with a query or POST with a JSON object",
		},
		"413": {
			params: routeauth.Params{"a": strings.Repeat("a", maxBody)},
			want:   "413 Request Entity Too Large: the body is larger than 65536 bytes",
		},
		"502": {
			source:    &recordingSource{err: errors.New("vault is sealed")},
			want:      "502 Bad Gateway: no token is available at the moment",
			temporary: true,
		},
		"502 for an empty token": {
			source:    &recordingSource{},
			want:      "502 Bad Gateway: no token is available at the moment",
			temporary: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if test.source == nil {
				test.source = newIssuer(t)
			}
			remote := newRemote(t, test.source, &gate{err: test.refusal}, test.method, test.site)

			token, err := text(remote.Token(t.Context(), test.params))
			assert.Empty(t, token)
			require.ErrorContains(t, err, test.want)
			var answered *routeauth.EndpointError
			require.ErrorAs(t, err, &answered)
			assert.Equal(t, test.want, fmt.Sprintf("%d %s: %s", answered.StatusCode, http.StatusText(answered.StatusCode), answered.Detail))
			assert.Equal(t, test.after, answered.RetryAfter)
			assert.NotContains(t, err.Error(), "mallory")
			assert.NotContains(t, err.Error(), "vault")

			// What a user of the API sees.
			transport, err := routeauth.NewJWTTransport(remote, roundTripFunc(func(*http.Request) (*http.Response, error) {
				assert.Fail(t, "a request without a token was sent")
				return nil, errors.New("sent")
			}))
			require.NoError(t, err)
			ctx := routeauth.ContextWithParams(t.Context(), test.params)
			_, err = transport.RoundTrip(httptest.NewRequest("POST", "https://api.example.com/", nil).WithContext(ctx))
			var missing *routeauth.CredentialError
			require.ErrorAs(t, err, &missing)
			assert.Equal(t, test.temporary, missing.Temporary())
		})
	}
}

// Rule 30.
func TestRemoteTokenSourceGetsTheTokenForItsParams(t *testing.T) {
	for name, params := range map[string]routeauth.Params{
		"none": {},
		"some": {"uploaded_image_id": "17", "sku_ids": "a,b", "": "", "note": "<ü>\u2028\x00"},
	} {
		t.Run(name, func(t *testing.T) {
			token, err := text(newRemote(t, newIssuer(t), &gate{}, "", "").Token(t.Context(), params))
			require.NoError(t, err)
			assert.Equal(t, params, paramsOf(t, token))
		})
	}
	token, err := text(newRemote(t, newIssuer(t), &gate{}, "", "").Token(t.Context(), nil))
	require.NoError(t, err)
	assert.Empty(t, paramsOf(t, token))
}

// Rule 30: the source's context ends when the client is gone.
func TestAClientThatLeavesEndsTheSourcesContext(t *testing.T) {
	asked, ended := make(chan struct{}), make(chan error, 1)
	source := tokenFunc(func(ctx context.Context, _ routeauth.Params) (string, error) {
		close(asked)
		<-ctx.Done()
		ended <- ctx.Err()
		return "", ctx.Err()
	})
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		<-asked
		leave()
	}()
	_, err := newRemote(t, source, &gate{}, "", "").Token(ctx, nil)
	require.ErrorIs(t, err, context.Canceled)
	assert.ErrorIs(t, <-ended, context.Canceled)
}

// newRemote returns the client of a handler behind a real server. It sends with
// method, if that is not empty, in place of POST, and from a site.
func newRemote(t *testing.T, source routeauth.TokenSource, g *gate, method, site string) *routeauth.RemoteTokenSource {
	t.Helper()
	server := httptest.NewServer(newHandler(t, source, g))
	t.Cleanup(server.Close)
	client := &http.Client{Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		if method != "" {
			req.Method = method
		}
		if site != "" {
			req.Header.Set("Sec-Fetch-Site", site)
		}
		return server.Client().Transport.RoundTrip(req)
	})}
	remote, err := routeauth.NewRemoteTokenSource(server.URL+"/jwt", client)
	require.NoError(t, err)
	return remote
}
