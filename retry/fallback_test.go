package retry_test

import (
	"net/http"
	"testing"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type closing struct {
	roundTripFunc
	closed *int
}

func (c closing) CloseIdleConnections() { *c.closed++ }

// Rule 6: a nil transport is http.DefaultTransport, looked up at each request.
func TestTheDefaultTransportIsThatOfTheRequest(t *testing.T) {
	was := http.DefaultTransport
	defer func() { http.DefaultTransport = was }()
	retrying := newRetrying(t, nil)
	sent, closed := 0, 0
	http.DefaultTransport = closing{func(req *http.Request) (*http.Response, error) {
		sent++
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return response(req, 200), nil
	}, &closed}
	for _, body := range []string{"", "body"} {
		_, err := retrying.RoundTrip(newRequest(t, "POST", body))
		require.NoError(t, err)
	}
	assert.Equal(t, 2, sent)
	retrying.CloseIdleConnections()
	assert.Equal(t, 1, closed)

	policy, err := routeauth.NewPolicy("https://api.example.com/v1", nil)
	require.NoError(t, err)
	auth, err := routeauth.New(policy, routeauth.APIKeyAuth{APIKey: "sk-17"}, nil)
	require.NoError(t, err)
	for text, transport := range map[string]http.RoundTripper{
		"http.DefaultTransport is nil": nil,
		"would send with itself":       newRetrying(t, retrying),
		"send with itself: give":       newRetrying(t, auth),
	} {
		http.DefaultTransport = transport
		body := &countedBody{}
		req := newRequest(t, "POST", "")
		req.Body = body
		_, err := retrying.RoundTrip(req)
		assert.ErrorContains(t, err, text)
		assert.Equal(t, 1, body.closed)
		retrying.CloseIdleConnections()
	}
}
