package faults

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every count must be able to be another number than zero: in each of these
// stacks something is broken.
func TestEachViolationIsCountedWhereItHappens(t *testing.T) {
	released := make(chan struct{})
	t.Cleanup(func() { close(released) })

	for name, test := range map[string]struct {
		answer answerFault // the API's only one
		spoil  func(*recipe)
		count  func(Violations) int
	}{
		"without CheckRetry a start is sent twice": {
			cutBeforeHeader,
			func(r *recipe) {
				r.checkRetry = func(next routeauth.CheckRetryFunc) routeauth.CheckRetryFunc { return next }
			},
			func(v Violations) int { return v.StartedTwice },
		},
		"without CheckRedirect the key follows a redirect": {
			redirectsAway,
			func(r *recipe) { r.checkRedirect = nil },
			func(v Violations) int { return v.LeakedCredential },
		},
		"a failure that is reported as a 401": {
			cutBeforeHeader,
			func(r *recipe) { r.overAuth = reportsEveryFailureAs401 },
			func(v Violations) int { return v.LostSilently },
		},
		"an answer that nobody gave": {
			cutUnread,
			func(r *recipe) { r.overAuth = inventsAnswers },
			func(v Violations) int { return v.NeverStarted },
		},
		"a key on every request": {
			wellBehaved,
			func(r *recipe) { r.underAuth = addsTheKey },
			func(v Violations) int { return v.WrongCredential },
		},
		"one user's params for everybody": {
			wellBehaved,
			func(r *recipe) { r.overAuth = takesEverybodyForOne },
			func(v Violations) int { return v.ForeignToken },
		},
		"a body that is changed on its way": {
			wellBehaved,
			func(r *recipe) { r.underAuth = sendsAnotherBody },
			func(v Violations) int { return v.ForeignBody },
		},
		"an error that quotes the key": {
			cutBeforeHeader,
			func(r *recipe) { r.overAuth = quotesTheKey },
			func(v Violations) int { return v.SecretInError },
		},
		"a request body that nobody closes": {
			wellBehaved,
			func(r *recipe) { r.underAuth = losesTheRequest },
			func(v Violations) int { return v.OpenRequests },
		},
		"a response body that nobody closes": {
			wellBehaved,
			func(r *recipe) { r.overAuth = losesTheResponse },
			func(v Violations) int { return v.OpenResponses },
		},
		"a connection that is never free": {
			wellBehaved,
			func(r *recipe) { r.overAuth = losesTheResponse },
			func(v Violations) int { return v.OpenConnections },
		},
		"a goroutine that waits for ever": {
			wellBehaved,
			func(r *recipe) {
				r.overAuth = func(base http.RoundTripper) http.RoundTripper {
					return roundTripper(func(req *http.Request) (*http.Response, error) {
						go func() { <-released }()
						return base.RoundTrip(req)
					})
				}
			},
			func(v Violations) int { return v.Goroutines },
		},
	} {
		t.Run(name, func(t *testing.T) {
			spoiled := recommended
			spoiled.settleTime = 50 * time.Millisecond
			spoiled.answers = []weight[answerFault]{{test.answer, 1}}
			test.spoil(&spoiled)
			report, err := runWith(t.Context(), Config{Calls: 60}, spoiled)
			require.NoError(t, err)
			assert.Positive(t, test.count(report.Violations), "\n%v", report)
			assert.Positive(t, report.Total())
		})
	}
}

func reportsEveryFailureAs401(base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := base.RoundTrip(req)
		if err != nil {
			err = &routeauth.UnauthorizedError{Method: req.Method}
		}
		return resp, err
	})
}

func inventsAnswers(base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := base.RoundTrip(req)
		if err == nil {
			return resp, nil
		}
		answer := fmt.Sprintf(`{"operation":%q}`, req.Header.Get(headerCall))
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{}, Request: req,
			Body: io.NopCloser(bytes.NewReader([]byte(answer))),
		}, nil
	})
}

func addsTheKey(base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.Header.Set(routeauth.HeaderAPIKey, apiKey)
		return base.RoundTrip(req)
	})
}

func sendsAnotherBody(base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.Body == nil || req.Header.Get(headerBody) == "" {
			return base.RoundTrip(req)
		}
		body, _ := io.ReadAll(req.Body)
		_ = req.Body.Close()
		req = req.WithContext(req.Context())
		req.Body = io.NopCloser(bytes.NewReader(append(body[:len(body)-1], '\n', '}')))
		req.ContentLength++
		return base.RoundTrip(req)
	})
}

func takesEverybodyForOne(base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		one := routeauth.Params{"user": "user-1"}
		return base.RoundTrip(req.WithContext(routeauth.ContextWithParams(req.Context(), one)))
	})
}

func quotesTheKey(base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := base.RoundTrip(req)
		if err != nil {
			err = fmt.Errorf("with %s: %w", apiKey, err)
		}
		return resp, err
	})
}

func losesTheRequest(base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.Body != nil {
			body, _ := io.ReadAll(req.Body)
			req = req.WithContext(req.Context())
			req.Body = io.NopCloser(bytes.NewReader(body))
		}
		return base.RoundTrip(req)
	})
}

func losesTheResponse(base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := base.RoundTrip(req)
		if resp != nil {
			resp.Body = io.NopCloser(resp.Body)
		}
		return resp, err
	})
}
