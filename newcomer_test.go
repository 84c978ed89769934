package routeauth_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/aiuta"
	"example.com/routeauth/aiuta/aiutatest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What goes wrong in the first hour, and what a developer sees of it: the error
// or the status, and what LogTrace writes. The cause is in at least one of them.
func TestANewcomerSeesTheCause(t *testing.T) {
	const apiURL = "https://localhost/digital-try-on/v1"
	key := routeauth.APIKeyAuth{APIKey: aiutatest.APIKey}
	backend := func(status int, body string) routeauth.Auth {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(server.Close)
		source, err := routeauth.NewRemoteTokenSource(server.URL+"/jwt", nil)
		require.NoError(t, err)
		return routeauth.JWTAuth{SubscriptionID: aiutatest.SubscriptionID, Source: source}
	}
	down, err := routeauth.NewRemoteTokenSource("http://127.0.0.1:1/jwt", nil) // where nobody listens
	require.NoError(t, err)

	for _, test := range []struct {
		name    string
		baseURL string
		auth    routeauth.Auth
		path    string // below the API's base URL
		opts    []routeauth.Option
		status  string // without an error
		err     string // else what it says, of the constructors or of the request
		warn    string // what LogTrace warns of
		reason  string // that it gives at level debug
	}{
		{
			name: "a typo in the base URL's host", baseURL: "https://locahost/digital-try-on/v1", auth: key,
			status: "401 Unauthorized",
			reason: `the host is localhost, the policy's is locahost`,
		}, {
			name: "a typo in the base URL's path", baseURL: "https://localhost/digital-tryon/v1", auth: key,
			status: "401 Unauthorized",
			reason: `the path is not below /digital-tryon/v1`,
		}, {
			name: "the same with RefuseOutOfScope", baseURL: "https://locahost/digital-try-on/v1", auth: key,
			opts:   []routeauth.Option{routeauth.RefuseOutOfScope()},
			err:    `not sent: the host is localhost, the policy's is locahost`,
			reason: `the host is localhost, the policy's is locahost`,
		}, {
			name: "a base URL without a scheme", baseURL: "localhost/digital-try-on/v1", auth: key,
			err: `base URL is relative: give it whole, as in https://api.example.com/v1`,
		}, {
			name: "a key with a line break", auth: routeauth.APIKeyAuth{APIKey: "key\n"},
			err: `API key: byte 0x0a at offset 3 is not printable ASCII without spaces: it ends in a line break, as the text of a file does`,
		}, {
			name: "a key that is not set", auth: routeauth.APIKeyAuth{},
			err: `API key is empty: set APIKey or Source`,
		}, {
			name: "a path that was not cleaned", auth: key, path: "/..%2fuploaded_images",
			err:    `not sent: the path may be read in more than one way: the segment "..%2fuploaded_images" may be read as a dot segment`,
			reason: `the segment "..%2fuploaded_images" may be read as a dot segment`,
		}, {
			name: "a revoked key", auth: routeauth.APIKeyAuth{APIKey: "revoked"},
			err:    `401: the server rejected the api-key credential: x-api-key holds no API key of this server`,
			warn:   `"credential rejected" method=POST url=` + apiURL + `/sku_images_operations scheme=api-key detail="x-api-key holds no API key of this server"`,
			reason: `the route "POST /sku_images_operations" is mandatory`,
		}, {
			name: "a backend that is down", auth: routeauth.JWTAuth{SubscriptionID: aiutatest.SubscriptionID, Source: down},
			err:    `not sent, no jwt credential: token endpoint http://127.0.0.1:1/jwt: dial tcp 127.0.0.1:1: connect`,
			warn:   `"credential not fetched" scheme=jwt took=T background=false error="token endpoint http://127.0.0.1:1/jwt: dial tcp`,
			reason: `the route "POST /sku_images_operations" is mandatory`,
		}, {
			name: "a backend whose path is another", auth: backend(404, `{"error": "no such path"}`),
			err:    `not sent, no jwt credential: token endpoint http://127.0.0.1:PORT/jwt: 404 Not Found: no such path`,
			warn:   `"credential not fetched" scheme=jwt took=T background=false error="token endpoint http://127.0.0.1:PORT/jwt: 404 Not Found: no such path"`,
			reason: `the route "POST /sku_images_operations" is mandatory`,
		}, {
			name: "a backend whose status has no name", auth: backend(599, ``),
			err:    `not sent, no jwt credential: token endpoint http://127.0.0.1:PORT/jwt: 599`,
			warn:   `"credential not fetched" scheme=jwt took=T background=false error="token endpoint http://127.0.0.1:PORT/jwt: 599"`,
			reason: `the route "POST /sku_images_operations" is mandatory`,
		}, {
			name: "a backend that answers something else", auth: backend(200, `<html>`),
			err:    `not sent, no jwt credential: token endpoint http://127.0.0.1:PORT/jwt: 200 OK: the answer is not a JSON object of the form`,
			warn:   `"credential not fetched" scheme=jwt took=T background=false error="token endpoint http://127.0.0.1:PORT/jwt: 200 OK: the answer is not a JSON object of the form`,
			reason: `the route "POST /sku_images_operations" is mandatory`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			status, err := firstRequest(t, test.baseURL, apiURL, test.path, test.auth, append(test.opts, routeauth.WithTrace(routeauth.LogTrace(logger))))
			assert.Equal(t, test.status, status)
			if test.err == "" {
				require.NoError(t, err)
			} else {
				require.Error(t, err)
				assert.Contains(t, everyRun(err.Error()), test.err)
				assert.NotRegexp(t, `\s$`, err.Error())
			}

			var warnings, reasons []string
			for line := range strings.Lines(everyRun(log.String())) {
				if _, warning, found := strings.Cut(line, "level=WARN msg="); found {
					warnings = append(warnings, warning)
				} else if _, reason, found := strings.Cut(line, "reason="); found {
					reasons = append(reasons, strings.ReplaceAll(reason, `\"`, `"`))
				}
			}
			assert.Equal(t, test.warn != "", len(warnings) == 1, "%q", warnings)
			assert.Contains(t, strings.Join(warnings, ""), test.warn)
			assert.Equal(t, test.reason != "", len(reasons) == 1, "%q", reasons)
			assert.Contains(t, strings.Join(reasons, ""), test.reason)
		})
	}
}

// firstRequest is a newcomer's program, up to its first error.
func firstRequest(t *testing.T, baseURL, apiURL, path string, auth routeauth.Auth, opts []routeauth.Option) (status string, _ error) {
	t.Helper()
	if baseURL == "" {
		baseURL = apiURL
	}
	if path == "" {
		path = "/sku_images_operations"
	}
	server := aiutatest.NewServer(aiutatest.Config{InProcess: true, TLS: true})
	policy, err := routeauth.NewPolicy(baseURL, aiuta.DigitalTryOnRoutes())
	if err != nil {
		return "", err
	}
	transport, err := routeauth.New(policy, auth, server.Transport(), opts...)
	if err != nil {
		return "", err
	}
	resp, err := (&http.Client{Transport: transport}).Post(apiURL+path, "application/json", strings.NewReader(`{}`))
	if err != nil {
		return "", err
	}
	require.NoError(t, resp.Body.Close())
	return resp.Status, nil
}

// everyRun replaces what differs from run to run.
func everyRun(text string) string {
	text = regexp.MustCompile(`took=\S+`).ReplaceAllString(text, "took=T")
	return regexp.MustCompile(`127\.0\.0\.1:\d{2,}`).ReplaceAllString(text, "127.0.0.1:PORT")
}

// Wrong stacking: the client that fetches tokens authenticates with them. The
// endpoint is the API's own, so that its request wants a token too.
func TestANewcomerSeesThatATokenSourceAsksForItsOwnToken(t *testing.T) {
	for _, cached := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			server := aiutatest.NewServer(aiutatest.Config{InProcess: true})
			var own http.RoundTripper
			client := &http.Client{Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) { return own.RoundTrip(req) })}
			remote, err := routeauth.NewRemoteTokenSource(server.DigitalTryOnURL()+"/jwt", client)
			require.NoError(t, err)
			source := routeauth.TokenSource(remote)
			if cached {
				source, err = routeauth.NewTokenCache(remote)
				require.NoError(t, err)
			}
			policy, err := routeauth.NewPolicy(server.DigitalTryOnURL(), nil)
			require.NoError(t, err)
			own, err = routeauth.New(policy, routeauth.BearerAuth{Source: source}, server.Transport())
			require.NoError(t, err)

			began := time.Now()
			_, err = (&http.Client{Transport: own}).Get(server.DigitalTryOnURL() + "/predefined_try_on_models")
			require.ErrorContains(t, err, "the token source asks for the token that it is to fetch: give its client a transport of its own")
			var credential *routeauth.CredentialError
			require.ErrorAs(t, err, &credential)
			assert.False(t, credential.Temporary(), "trying again does not help")
			assert.Zero(t, time.Since(began), "nothing is waited for")
			assert.Empty(t, server.Requests())
		})
	}
}
