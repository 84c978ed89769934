package integration_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/integration/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"resty.dev/v3"
)

var restyV3 = measure.Neighbour{
	Module: "resty.dev/v3",
	File:   "resty_v3_test.go",
	Server: measure.Server{Sends: measure.APIKey},
	Call: func(t *testing.T, baseURL string, client *http.Client) measure.Answer {
		resp, err := newRestyV3(t, baseURL, client.Transport).R().Get(statusPath) // it retries no POST by itself
		return measure.Answer{Err: err, Resp: resp.RawResponse}
	},
	Facts: []measure.Fact{
		{Says: "each route gets its credential", Test: restyV3Routes},
		{Says: "its retries understand `CredentialError.Temporary`", Test: restyV3Temporary},
	},
}

func newRestyV3(t *testing.T, baseURL string, transport http.RoundTripper) *resty.Client {
	client := resty.New().SetTransport(transport).SetBaseURL(baseURL).
		SetRetryCount(2).SetRetryWaitTime(time.Millisecond).SetRetryMaxWaitTime(time.Millisecond)
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	return client
}

func restyV3Routes(t *testing.T) {
	testRoutes(t, func(t *testing.T, baseURL string, transport *routeauth.Transport) calls {
		client := newRestyV3(t, baseURL, transport)
		return calls{
			start: func(body map[string]any) (string, error) {
				var started startedOperation
				_, err := client.R().SetBody(body).SetResult(&started).Post(startPath)
				return started.OperationID, err
			},
			status: func(id string) error {
				_, err := client.R().SetPathParam("id", id).Get(startPath + "/{id}")
				return err
			},
		}
	})
}

// resty v3 asks an error whether it is temporary, and a CredentialError knows.
func restyV3Temporary(t *testing.T) {
	for name, test := range map[string]struct {
		failure error
		asked   int32
	}{
		"for the moment": {errors.New("the backend restarts"), 2},
		"ever":           {routeauth.Permanent(errors.New("no such user")), 1},
	} {
		t.Run(name, func(t *testing.T) {
			api := newAPI(t)
			var asked atomic.Int32
			auth, tokens := newJWTAuth(t), newIssuer(t)
			auth.Source = routeauth.TokenSourceFunc(func(ctx context.Context, p routeauth.Params) (routeauth.Token, error) {
				if asked.Add(1) == 1 {
					return routeauth.Token{}, test.failure
				}
				return tokens.Token(ctx, p)
			})
			transport := newTransport(t, api.DigitalTryOnURL(), auth, api.Client().Transport)
			resp, err := newRestyV3(t, api.DigitalTryOnURL(), transport).R().Get("/without-a-route")
			assert.Equal(t, test.asked, asked.Load())
			if test.asked == 1 {
				require.ErrorIs(t, err, test.failure)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, 404, resp.StatusCode(), "the API let it in")
		})
	}
}
