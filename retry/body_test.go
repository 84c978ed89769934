package retry_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/aiuta"
	"example.com/routeauth/retry"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// paramsFuncs read the body each in a way of its own.
func paramsFuncs() map[string]routeauth.ParamsFunc {
	return map[string]routeauth.ParamsFunc{
		"no params":      nil,
		"BodyParams":     routeauth.BodyParams("a"),
		"aiuta's params": aiuta.RequestParams(),
		"a part is read": func(req *http.Request) (routeauth.Params, error) {
			body, err := req.GetBody()
			if err != nil {
				return nil, err
			}
			_, err = body.Read(make([]byte, 1))
			return nil, errors.Join(err, body.Close())
		},
	}
}

// withParams returns a transport that binds its tokens to f's params, over base.
func withParams(t testing.TB, f routeauth.ParamsFunc, base http.RoundTripper) http.RoundTripper {
	t.Helper()
	policy, err := routeauth.NewPolicy("https://api.example.com/v1", nil)
	require.NoError(t, err)
	source, err := routeauth.NewStaticTokenSource("token")
	require.NoError(t, err)
	transport, err := routeauth.New(policy, routeauth.JWTAuth{Source: source, Params: f}, base)
	require.NoError(t, err)
	return transport
}

// bodies are read for their params up to a MiB, and past it.
func paramsBodies() map[string]string {
	return map[string]string{"small": `{"a":"b"}`, "large": `{"a":"b"}` + strings.Repeat(" ", 1<<20)}
}

// Rule 35: reading a body for its params is not sending it.
func TestAPostIsSentAgainThoughItsParamsWereRead(t *testing.T) {
	for name, f := range paramsFuncs() {
		for size, body := range paramsBodies() {
			if size == "large" && name != "no params" && name != "a part is read" {
				continue // BodyParams refuses it
			}
			t.Run(name+", "+size, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := &attempts{outcomes: []any{func(req *http.Request) (*http.Response, error) {
						return nil, errors.Join(dialFailed, req.Body.Close())
					}, 200}}
					// Twice, as where two APIs' transports are stacked.
					transport := withParams(t, f, withParams(t, f, a))
					resp, err := newRetrying(t, transport).RoundTrip(newRequest(t, "POST", body))
					require.NoError(t, err)
					assert.Equal(t, 200, resp.StatusCode)
					require.Len(t, a.bodies, 2)
					assert.True(t, a.bodies[1] == body, "the second body is whole")
				})
			})
		}
	}
}

// Rules 28 and 35: a body of which anything was sent is not sent again, although
// the error says that dialing failed: the base may have followed a redirect after
// the server has acted. That holds for what is sent in the place of the body, too.
func TestAPostIsNotSentAgainWhereItsBodyWasSent(t *testing.T) {
	for way, send := range map[string]func(*http.Request) error{
		"read":     func(req *http.Request) error { _, err := req.Body.Read(make([]byte, 1)); return err },
		"WriteTo":  func(req *http.Request) error { _, err := io.Copy(io.Discard, req.Body); return err },
		"GetBody":  sendCopy(func(body io.Reader) error { _, err := body.Read(make([]byte, 1)); return err }),
		"and both": sendCopy(func(body io.Reader) error { _, err := io.Copy(io.Discard, body); return err }),
	} {
		for name, f := range paramsFuncs() {
			for size, body := range paramsBodies() {
				if size == "large" && name != "no params" && name != "a part is read" {
					continue
				}
				t.Run(way+", "+name+", "+size, func(t *testing.T) {
					sent := 0
					base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
						sent++
						assert.NoError(t, send(req))
						return nil, errors.Join(dialFailed, req.Body.Close())
					})
					_, err := newRetrying(t, withParams(t, f, withParams(t, f, base))).RoundTrip(newRequest(t, "POST", body))
					assert.ErrorIs(t, err, dialFailed)
					assert.Equal(t, 1, sent)
				})
			}
		}
	}
}

func sendCopy(send func(io.Reader) error) func(*http.Request) error {
	return func(req *http.Request) error {
		body, err := req.GetBody()
		if err != nil {
			return err
		}
		return errors.Join(send(body), body.Close())
	}
}

// Rules 28 and 35: a CredentialError says that nothing was sent only where nothing
// else is joined to it.
func TestACredentialErrorBesideAnotherErrorSaysNothing(t *testing.T) {
	temporary := credentialError(t, errors.New("down"))
	a := &attempts{outcomes: []any{errors.Join(temporary, dialFailed)}}
	_, err := newRetrying(t, a).RoundTrip(newRequest(t, "POST", "body"))
	assert.ErrorIs(t, err, dialFailed)
	assert.Len(t, a.bodies, 1)
}

// Rule 35: without a second body the last response, or error, comes back as it is,
// and nobody has read or closed it.
func TestWithoutASecondBodyTheOutcomeComesBack(t *testing.T) {
	for name, getBody := range map[string]func() (io.ReadCloser, error){
		"an error": func() (io.ReadCloser, error) { return nil, errors.New("the file is gone") },
		"nothing":  func() (io.ReadCloser, error) { return nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			var bodies []*countedBody
			req := newRequest(t, "PUT", "body")
			req.GetBody = getBody
			resp, err := newRetrying(t, answering(503, &bodies)).RoundTrip(req)
			require.NoError(t, err)
			require.Len(t, bodies, 1)
			assert.Zero(t, bodies[0].closed)
			text, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.Equal(t, "answer", string(text))

			req = newRequest(t, "PUT", "body")
			req.GetBody = getBody
			_, err = newRetrying(t, &attempts{outcomes: []any{cut}}).RoundTrip(req)
			assert.Equal(t, error(cut), err)
		})
	}
}

// Rule 35: a body that is still being sent is left to the base, and the response
// that came meanwhile is the outcome.
func TestABodyThatIsBeingSentIsNotTakenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, writer := io.Pipe()
		asked := 0
		req := newRequest(t, "PUT", "body")
		req.Body = reader
		req.GetBody = func() (io.ReadCloser, error) { asked++; return nil, errors.New("asked") }
		uploaded := make(chan string)
		resp, err := newRetrying(t, roundTripFunc(func(req *http.Request) (*http.Response, error) {
			go func() { // as net/http does
				body, err := io.ReadAll(req.Body)
				assert.NoError(t, err)
				uploaded <- string(body)
			}()
			synctest.Wait()
			return response(req, 429), nil
		})).RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, 429, resp.StatusCode)
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, "answer 429", string(text))
		_, err = writer.Write([]byte("the rest"))
		require.NoError(t, err)
		require.NoError(t, writer.Close())
		assert.Equal(t, "the rest", <-uploaded)
		assert.Zero(t, asked)
	})
}

// Rule 35: a second body is asked for only where it is to be sent, and closed where
// the wait ends before that.
func TestASecondBodyIsAskedForWhereItIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var had []*countedBody
		newRequest := func(ctx context.Context, method string) *http.Request {
			req := newRequest(t, method, "body").WithContext(ctx)
			req.GetBody = func() (io.ReadCloser, error) {
				had = append(had, &countedBody{Reader: strings.NewReader("body")})
				return had[len(had)-1], nil
			}
			return req
		}
		settings := retryablehttp.NewClient()
		settings.RetryMax = 2
		for _, test := range []struct {
			method       string
			status, want int
		}{{"PUT", 200, 0}, {"POST", 503, 0}, {"PUT", 503, 2}, {"POST", 429, 2}} {
			had = nil
			a := &attempts{outcomes: []any{test.status}}
			_, err := newRetrying(t, a, retry.WithClient(settings)).RoundTrip(newRequest(t.Context(), test.method))
			require.NoError(t, err)
			assert.Len(t, had, test.want, "%s, %d", test.method, test.status)
			assert.Len(t, a.bodies, test.want+1)
		}
		had = nil
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := newRetrying(t, &attempts{outcomes: []any{503}}).RoundTrip(newRequest(ctx, "PUT"))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, had, 1)
		assert.Equal(t, 1, had[0].closed)
	})
}

// Rules 2 and 35: a GetBody that is wrong once is wrong at each further attempt,
// also where an attempt between did not read its body.
func TestAWrongBodyIsNotSentAtALaterAttempt(t *testing.T) {
	for name, getBody := range map[string]func(first io.Reader) io.Reader{
		"half of it":          func(io.Reader) io.Reader { return strings.NewReader("01234") },
		"the reader as it is": func(first io.Reader) io.Reader { return first },
		"another one":         func(io.Reader) io.Reader { return strings.NewReader("abcdefghij") },
	} {
		for _, unread := range []int{0, 2} {
			synctest.Test(t, func(t *testing.T) {
				attempt := 0
				var sent []string
				base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
					attempt++
					if attempt == unread {
						return nil, errors.Join(&net.OpError{Op: "dial", Err: errors.New("refused")}, req.Body.Close())
					}
					body, err := io.ReadAll(req.Body)
					if err = errors.Join(err, req.Body.Close()); err != nil {
						return nil, err
					}
					sent = append(sent, string(body))
					return response(req, http.StatusServiceUnavailable), nil
				})
				req := newRequest(t, "PUT", "")
				first := strings.NewReader("0123456789")
				req.Body, req.ContentLength = io.NopCloser(first), -1
				req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(getBody(first)), nil }
				resp, err := newRetrying(t, base).RoundTrip(req)
				if err == nil {
					require.NoError(t, resp.Body.Close())
				}
				assert.Greater(t, attempt, 2, name)
				assert.Equal(t, []string{"0123456789"}, sent, "%s, attempt %d reads nothing", name, unread)
			})
		}
	}
}
