package wrapped_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/routeauth/integration/nethttp/wrapped"
)

// recorder is a base that answers every request and keeps the last header.
type recorder struct {
	seen   http.Header
	closed bool
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.seen = req.Header
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
}

func (r *recorder) CloseIdleConnections() { r.closed = true }

func send(t *testing.T, rt http.RoundTripper, url string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
}

func TestEachWrapperSendsItsCredentialToWhateverServer(t *testing.T) {
	for _, w := range wrapped.Wrappers() {
		t.Run(w.Name, func(t *testing.T) {
			base := new(recorder)
			for _, url := range []string{"http://127.0.0.1:4242/a", "https://[::1]:1/", "http://example.com"} {
				send(t, w.Wrap(base), url)
				if w.Credential == "" {
					assert.Empty(t, base.seen)
				} else {
					assert.Len(t, base.seen[w.Credential], 1, url)
				}
			}
		})
	}
}

func TestEachWrapperClosesIdleConnections(t *testing.T) {
	for _, w := range wrapped.Wrappers() {
		base := new(recorder)
		w.Wrap(base).(interface{ CloseIdleConnections() }).CloseIdleConnections()
		assert.True(t, base.closed, w.Name)
	}
}

func TestAServerThatNoPolicyCanNameGetsNoCredential(t *testing.T) {
	for _, w := range wrapped.Wrappers() {
		if w.ByNew {
			base := new(recorder)
			send(t, w.Wrap(base), "file:///etc/hosts")
			assert.Empty(t, base.seen, w.Name)
		}
	}
}

func TestABaseThatIsRefusedFailsEachRequest(t *testing.T) {
	for _, w := range wrapped.Wrappers() {
		if w.Name == wrapped.Control {
			continue
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://example.com", nil)
		require.NoError(t, err)
		_, err = w.Wrap((*recorder)(nil)).RoundTrip(req)
		require.ErrorContains(t, err, "nil", w.Name)
	}
}
