package integration_test

import (
	"net/http"
	"testing"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/integration/measure"
	"github.com/go-resty/resty/v2"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var restyV2 = measure.Neighbour{
	Module: "github.com/go-resty/resty/v2",
	File:   "resty_test.go",
	Server: measure.Server{Sends: measure.APIKey},
	Call: func(_ *testing.T, baseURL string, client *http.Client) measure.Answer {
		resp, err := resty.NewWithClient(client).R().SetBody(startBody).Post(baseURL + startPath)
		return measure.Answer{Err: err, Resp: resp.RawResponse}
	},
	Facts: []measure.Fact{
		{Says: "each route gets its credential", Test: restyV2Routes},
		{Says: "its retries, once they are switched on, repeat a key whose 401 is an error, unless `CheckRetry` is their condition", Test: restyV2Retries},
	},
}

func restyV2Routes(t *testing.T) {
	testRoutes(t, func(_ *testing.T, baseURL string, transport *routeauth.Transport) calls {
		client := resty.New().SetTransport(transport).SetBaseURL(baseURL)
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

// startedOperation is the answer to a start.
type startedOperation struct {
	OperationID string `json:"operation_id"`
}

// resty v2 retries every error by itself as soon as it has a retry count. A
// condition takes the decision from it, and CheckRetry can make it.
func restyV2Retries(t *testing.T) {
	checkRetry := routeauth.CheckRetry(retryablehttp.DefaultRetryPolicy)
	for name, test := range map[string]struct {
		conditions []resty.RetryConditionFunc
		requests   int
	}{
		"without a condition": {nil, 3},
		"with CheckRetry": {[]resty.RetryConditionFunc{func(resp *resty.Response, err error) bool {
			retry, _ := checkRetry(resp.Request.Context(), resp.RawResponse, err)
			return retry
		}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			api := newAPI(t)
			client := resty.New().
				SetTransport(newTransport(t, api.DigitalTryOnURL(), wrongKey, api.Client().Transport)).
				SetBaseURL(api.DigitalTryOnURL()).
				SetLogger(silent{}).
				SetRetryCount(2).SetRetryWaitTime(time.Millisecond).SetRetryMaxWaitTime(time.Millisecond)
			client.RetryConditions = test.conditions

			_, err := client.R().SetBody(startBody).Post(startPath)
			var unauthorized *routeauth.UnauthorizedError
			require.ErrorAs(t, err, &unauthorized)
			assert.Equal(t, routeauth.SchemeAPIKey, unauthorized.Scheme)
			assert.Len(t, received(api), test.requests)
		})
	}
}

// silent is a logger of resty's.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}
