package benchmarks_test

import (
	"net/http"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/benchmarks"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorder is a base that keeps the last request that it got.
type recorder struct{ last *http.Request }

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.last = req
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}, nil
}

// A time says nothing about a subject that does not do its work.
func TestEverySubjectSendsItsFieldAndLeavesTheRequestUnchanged(t *testing.T) {
	for _, subject := range append(benchmarks.Subjects(), benchmarks.ManyRoutes()...) {
		t.Run(subject.Name, func(t *testing.T) {
			req, err := benchmarks.NewRequest(subject.URL)
			require.NoError(t, err)
			before := req.Header.Clone()
			require.Len(t, before, 4)
			base := &recorder{}
			transport, err := subject.Transport(base)
			require.NoError(t, err)

			for range 2 { // with a cold cache and with a warm one
				base.last = nil
				_, err = transport.RoundTrip(req)
				require.NoError(t, err)
				require.NotNil(t, base.last, "nothing was sent")

				want := before.Clone()
				if subject.Field != "" {
					want[subject.Field] = []string{subject.Value}
					assert.NotEmpty(t, subject.Value)
				}
				assert.Equal(t, want, base.last.Header)
				assert.Equal(t, before, req.Header, "the caller's header")
				assert.Equal(t, subject.URL, base.last.URL.String())
			}
		})
	}
}

func TestWhatIsOutOfScopeReachesTheBaseAsTheSameValue(t *testing.T) {
	subject, base := benchmarks.OutOfScope(), &recorder{}
	req, err := benchmarks.NewRequest(subject.URL)
	require.NoError(t, err)
	transport, err := subject.Transport(base)
	require.NoError(t, err)
	_, err = transport.RoundTrip(req)
	require.NoError(t, err)
	assert.Same(t, req, base.last)
}

func TestEverySubjectGetsItsAnswerFromTheServer(t *testing.T) {
	server := benchmarks.NewLoopback()
	defer server.Close()
	for _, subject := range []benchmarks.Subject{server.Minimum(), server.JWTAuth()} {
		exchange, err := server.Exchanges(subject)
		require.NoError(t, err, subject.Name)
		assert.NoError(t, exchange(), subject.Name)
	}
}

func TestTheServerRefusesWhatHasNoToken(t *testing.T) {
	server := benchmarks.NewLoopback()
	defer server.Close()
	subject := server.Minimum()
	subject.Transport = func(base http.RoundTripper) (http.RoundTripper, error) { return base, nil }
	_, err := server.Exchanges(subject)
	assert.ErrorContains(t, err, "401")
}

func TestEveryGrowthWorksAtItsSmallestSizes(t *testing.T) {
	for _, growth := range benchmarks.Growths() {
		for _, size := range growth.Sizes[:2] {
			operation, err := growth.Prepare(size)
			require.NoError(t, err, "%s: %d", growth.Name, size)
			assert.NoError(t, operation(), "%s: %d", growth.Name, size)
		}
	}
}

func TestAColdCacheFetchesOnce(t *testing.T) {
	fetches, err := benchmarks.ColdCache(10_000)
	require.NoError(t, err)
	assert.EqualValues(t, 1, fetches)
}

func TestRoutesAreAsManyAsAskedForAndBothKindsHaveOneThatIsMeasured(t *testing.T) {
	for _, count := range []int{4, 10, 10_000} {
		routes := benchmarks.Routes(count)
		assert.Len(t, routes, count)
		assert.Contains(t, routes, "GET "+benchmarks.StaticPath)
		assert.Equal(t, routeauth.Mandatory, routes["GET "+benchmarks.StaticPath])
		assert.Contains(t, routes, "GET /things0/items/{id}")
	}
}
