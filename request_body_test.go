package routeauth_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rewinding returns a request whose GetBody rewinds the one reader that it has,
// as those of go-retryablehttp do.
func rewinding(t testing.TB, url string, body io.ReadSeeker) *http.Request {
	t.Helper()
	size, err := body.Seek(0, io.SeekEnd)
	require.NoError(t, err)
	_, err = body.Seek(0, io.SeekStart)
	require.NoError(t, err)
	req := newRequest(t, http.MethodPost, url, "")
	req.Body, req.ContentLength = io.NopCloser(body), size
	req.GetBody = func() (io.ReadCloser, error) {
		_, err := body.Seek(0, io.SeekStart)
		return io.NopCloser(body), err
	}
	return req
}

// numbered returns text of which no two parts are the same.
func numbered(size int) string {
	var text strings.Builder
	for n := 0; text.Len() < size; n++ {
		fmt.Fprintf(&text, "%07d\n", n)
	}
	return text.String()[:size]
}

// bodyKinds are bodies with one reader, of which GetBody makes all copies.
func bodyKinds(t testing.TB, text string) map[string]func() io.ReadSeeker {
	path := filepath.Join(t.TempDir(), "body")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return map[string]func() io.ReadSeeker{
		"a file": func() io.ReadSeeker {
			file, err := os.Open(path)
			require.NoError(t, err)
			t.Cleanup(func() { _ = file.Close() })
			return file
		},
		"a string":             func() io.ReadSeeker { return strings.NewReader(text) },
		"bytes":                func() io.ReadSeeker { return bytes.NewReader([]byte(text)) },
		"a reader and no more": func() io.ReadSeeker { return struct{ io.ReadSeeker }{strings.NewReader(text)} },
	}
}

// strictAPI is an API that answers 401 to a revoked token before it has read the
// body, and otherwise tells how many bodies it got and how many of them were
// not the one that was sent.
type strictAPI struct {
	want        string
	revoked     sync.Map
	good, wrong atomic.Int64
}

func (a *strictAPI) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if _, revoked := a.revoked.Load(tokenOf(req)); revoked {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	got, err := io.ReadAll(req.Body)
	switch {
	case err != nil:
		return
	case string(got) == a.want:
		a.good.Add(1)
	default:
		a.wrong.Add(1)
	}
}

func newStrictAPI(t testing.TB, want string, http2 bool) (*strictAPI, *httptest.Server) {
	api := &strictAPI{want: want}
	server := httptest.NewUnstartedServer(api)
	server.EnableHTTP2 = http2
	server.StartTLS()
	t.Cleanup(server.Close)
	return api, server
}

// numberedTokens is a source that returns another token at each call.
func numberedTokens(t testing.TB) *countingSource {
	return &countingSource{next: func(_ context.Context, _ routeauth.Params, nth int) (string, error) {
		return mint(t, fmt.Sprint("token ", nth), time.Unix(900_000_000, 0), time.Unix(4_000_000_000, 0)), nil
	}}
}

// 600 revocations of a file of 1 MiB take minutes, so they are for runs by hand.
var (
	revocations = flag.Int("revocations", 6, "how many held tokens are revoked for each kind of body")
	bodySize    = flag.Int("body-size", 256<<10, "of the bodies that are sent again, in bytes")
)

// Rules 2 and 24: after a 401 the second request carries the caller's body from
// its first byte to its last, or there is no second request.
func TestTheSecondBodyIsWholeWhateverGetBodyDoesToTheFirst(t *testing.T) {
	t.Parallel()
	calls := *revocations
	if testing.Short() {
		calls = 3
	}
	run, wait := atOnce(t) // a server waits before it closes a connection
	defer wait()
	for _, size := range []int{100, *bodySize} {
		for _, http2 := range []bool{false, true} {
			text := numbered(size)
			for kind, newBody := range bodyKinds(t, text) {
				for _, sender := range []string{"http.Client", "go-retryablehttp"} {
					name := fmt.Sprintf("HTTP/2 %t, %s, %d bytes, %s", http2, kind, size, sender)
					run(name, func(t *testing.T) { testSecondBody(t, text, http2, newBody, sender, calls) })
				}
			}
		}
	}
}

// testSecondBody revokes the held token before each of so many calls.
func testSecondBody(t *testing.T, text string, http2 bool, newBody func() io.ReadSeeker, sender string, calls int) {
	api, server := newStrictAPI(t, text, http2)
	cache := newCache(t, numberedTokens(t))
	send := senders(t, newJWTTransport(t, cache, server.Client().Transport))[sender]
	rejected := 0
	for range calls {
		held := tokenFor(t, cache, nil)
		api.revoked.Store(held, true)

		resp, err := send(server.URL, newBody())
		if err != nil {
			require.ErrorIs(t, err, routeauth.ErrUnauthorized)
			rejected++
			continue
		}
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusOK, resp.StatusCode)
	}
	t.Logf("%d calls: %d right bodies, %d wrong ones, %d typed errors", calls, api.good.Load(), api.wrong.Load(), rejected)
	assert.Zero(t, api.wrong.Load(), "wrong bodies")
	assert.EqualValues(t, calls-rejected, api.good.Load(), "right bodies")
	assert.Less(t, rejected, calls, "some are sent again")
}

// senders send a body with one reader to a URL, with and without retries above.
func senders(t testing.TB, transport http.RoundTripper) map[string]func(url string, body io.ReadSeeker) (*http.Response, error) {
	retrying := retryablehttp.NewClient()
	retrying.Logger = nil
	retrying.CheckRetry = routeauth.CheckRetry(retryablehttp.DefaultRetryPolicy)
	retrying.HTTPClient = &http.Client{Transport: transport}
	return map[string]func(url string, body io.ReadSeeker) (*http.Response, error){
		"http.Client": func(url string, body io.ReadSeeker) (*http.Response, error) {
			return (&http.Client{Transport: transport}).Do(rewinding(t, url, body))
		},
		"go-retryablehttp": func(url string, body io.ReadSeeker) (*http.Response, error) {
			req, err := retryablehttp.NewRequest(http.MethodPost, url, body)
			if err != nil {
				return nil, err
			}
			return retrying.Do(req)
		},
	}
}

// Rule 24: a body that somebody goes on reading is not asked for a second time.
func TestTheSecondBodyWaitsForAReadOfTheFirst(t *testing.T) {
	for name, test := range map[string]struct {
		read time.Duration // how long the last read of the first body takes
		want []string
	}{
		"a read that ends":         {500 * time.Millisecond, []string{"held", "new"}},
		"a read that does not end": {time.Hour, []string{"held"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tokens := longLived(t, 2)
				names := map[string]string{tokens[0]: "held", tokens[1]: "new"}
				cache, _ := stale(t, nil, tokens...)
				reading, copies := atomic.Bool{}, 0
				slow := readFunc(func(p []byte) (int, error) {
					reading.Store(true)
					defer reading.Store(false)
					advance(test.read)
					return len(p), nil
				})
				req := newRequest(t, http.MethodPost, endpoint, "")
				req.Body = io.NopCloser(slow)
				req.GetBody = func() (io.ReadCloser, error) {
					copies++
					assert.False(t, reading.Load(), "the first body is being read")
					return io.NopCloser(strings.NewReader("body")), nil
				}
				var got []string
				b := roundTripFunc(func(req *http.Request) (*http.Response, error) {
					got = append(got, names[tokenOf(req)])
					if len(got) == 1 {
						go func() { // as HTTP/2 does
							p := make([]byte, 8)
							for {
								if _, err := req.Body.Read(p); err != nil {
									assert.ErrorContains(t, err, "taken away")
									_ = req.Body.Close()
									return
								}
							}
						}()
						synctest.Wait()
						return answer(req, http.StatusUnauthorized, ""), nil
					}
					return answer(req, http.StatusOK, ""), nil
				})
				_, err := newJWTTransport(t, cache, b).RoundTrip(req)
				assert.Equal(t, test.want, got)
				assert.Equal(t, len(got)-1, copies)
				assert.Equal(t, len(got) == 1, errors.Is(err, routeauth.ErrUnauthorized))
				advance(2 * time.Hour)
			})
		})
	}
}

// Rule 2: a body that may be sent again can be written as fast as the caller's.
func TestABodyThatMayBeSentAgainHasTheCallersWriteTo(t *testing.T) {
	for _, test := range []struct {
		body  io.Reader
		wants bool
	}{
		{strings.NewReader("body"), true},
		{struct{ io.Reader }{strings.NewReader("body")}, false},
	} {
		cache, _ := stale(t, nil, longLived(t, 2)...)
		req := newRequest(t, http.MethodPost, endpoint, "")
		req.Body = io.NopCloser(test.body)
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(test.body), nil }
		_, err := newJWTTransport(t, cache, roundTripFunc(func(req *http.Request) (*http.Response, error) {
			to, ok := req.Body.(io.WriterTo)
			assert.Equal(t, test.wants, ok)
			if ok {
				var written strings.Builder
				n, err := to.WriteTo(&written)
				assert.NoError(t, err)
				assert.Equal(t, "body", written.String())
				assert.EqualValues(t, 4, n)
			}
			return answer(req, http.StatusOK, ""), req.Body.Close()
		})).RoundTrip(req)
		require.NoError(t, err)
	}
}

// Rule 2: a small body that net/http knows to be in memory stays one, so that the
// request leaves in one write, as it does without us.
func TestASmallBodyInMemoryLeavesWithItsHeader(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		assert.NoError(t, err)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	text := numbered(3 << 10)
	for name, newBody := range map[string]func() io.Reader{
		"strings.Reader": func() io.Reader { return strings.NewReader(text) },
		"bytes.Reader":   func() io.Reader { return bytes.NewReader([]byte(text)) },
		"bytes.Buffer":   func() io.Reader { return bytes.NewBufferString(text) },
	} {
		var writes atomic.Int32
		base := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			return countingConn{conn, &writes}, err
		}}
		t.Cleanup(base.CloseIdleConnections)
		cache, _ := stale(t, nil, longLived(t, 2)...)
		req, err := http.NewRequest(http.MethodPost, server.URL, newBody())
		require.NoError(t, err)
		resp, err := newJWTTransport(t, cache, base).RoundTrip(req)
		require.NoError(t, err, name)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.True(t, text == string(body), name)
		assert.EqualValues(t, 1, writes.Load(), name)
	}
}

// countingConn counts the writes to a connection.
type countingConn struct {
	net.Conn
	writes *atomic.Int32
}

func (c countingConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// Rule 2: what the base itself asks for, as net/http does on a connection that
// was cut and a signing transport to hash the body, is the caller's body as well,
// and the first body stays what it is.
func TestEachCopyThatTheBaseAsksForIsTheCallersBody(t *testing.T) {
	for kind, newBody := range bodyKinds(t, "the body") {
		cache, _ := stale(t, nil, longLived(t, 2)...)
		_, err := newJWTTransport(t, cache, roundTripFunc(func(req *http.Request) (*http.Response, error) {
			first := req.Body
			_, err := io.ReadFull(first, make([]byte, 3))
			require.NoError(t, err)
			second, err := req.GetBody()
			require.NoError(t, err)
			beginning := make([]byte, 5)
			_, err = io.ReadFull(second, beginning)
			require.NoError(t, err)
			rest, err := io.ReadAll(first)
			require.NoError(t, err)
			assert.Equal(t, " body", string(rest), kind)
			var end strings.Builder
			_, err = io.Copy(&end, second) // with its WriteTo, where it has one
			require.NoError(t, err)
			assert.Equal(t, "the body", string(beginning)+end.String(), kind)
			n, err := io.Copy(&end, second)
			assert.NoError(t, err, kind)
			assert.Zero(t, n, "%s: it has ended", kind)
			require.NoError(t, first.Close())
			return answer(req, http.StatusOK, ""), second.Close()
		})).RoundTrip(rewinding(t, endpoint, newBody()))
		require.NoError(t, err)
	}
}

// Rule 2: a base that asks for a copy in vain still has the body.
func TestABodyIsStillThereAfterAGetBodyThatFails(t *testing.T) {
	cache, _ := stale(t, nil, longLived(t, 2)...)
	req := newRequest(t, http.MethodPost, endpoint, "")
	req.Body, req.ContentLength = newTrackedBody("the body"), 8
	req.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
	_, err := newJWTTransport(t, cache, roundTripFunc(func(req *http.Request) (*http.Response, error) {
		_, err := req.GetBody()
		assert.ErrorContains(t, err, "gone")
		body, err := io.ReadAll(req.Body)
		assert.NoError(t, err)
		assert.Equal(t, "the body", string(body))
		return answer(req, http.StatusOK, ""), req.Body.Close()
	})).RoundTrip(req)
	require.NoError(t, err)
}

// Rules 2 and 24: a GetBody that is wrong makes an error, and nobody takes a part
// of the body, or another one, for the whole. HTTP/2 compares no lengths.
func TestASecondBodyThatIsNotTheFirstIsNotSentAsOne(t *testing.T) {
	t.Parallel()
	text := numbered(100 << 10)
	for _, http2 := range []bool{false, true} {
		for _, length := range []int64{int64(len(text)), -1} {
			for name, getBody := range map[string]func(first io.ReadCloser) io.ReadCloser{
				"the first reader, where it is": func(first io.ReadCloser) io.ReadCloser { return first },
				"half of it":                    func(io.ReadCloser) io.ReadCloser { return newTrackedBody(text[:len(text)/2]) },
				"one byte less":                 func(io.ReadCloser) io.ReadCloser { return newTrackedBody(text[:len(text)-1]) },
				"one byte more":                 func(io.ReadCloser) io.ReadCloser { return newTrackedBody(text + "x") },
				"nothing":                       func(io.ReadCloser) io.ReadCloser { return http.NoBody },
				"another of this length":        func(io.ReadCloser) io.ReadCloser { return newTrackedBody(text[8:] + text[:8]) },
			} {
				if name == "another of this length" && length > 0 {
					continue // which is for the caller's GetBody to answer for
				}
				name := fmt.Sprintf("HTTP/2 %t, length %d, %s", http2, length, name)
				t.Run(name, func(t *testing.T) {
					var wrong atomic.Int32 // bodies that a server could take for whole
					server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
						body, err := io.ReadAll(req.Body)
						if tokenOf(req) == "held" {
							assert.True(t, string(body) == text, "the first body")
							w.WriteHeader(http.StatusUnauthorized)
						} else if err == nil && string(body) != text {
							wrong.Add(1)
						}
					}))
					server.EnableHTTP2 = http2
					server.StartTLS()
					t.Cleanup(server.Close)
					req := newRequest(t, http.MethodPost, server.URL, "")
					first := noClose{strings.NewReader(text)}
					req.Body, req.ContentLength = first, length
					req.GetBody = func() (io.ReadCloser, error) { return getBody(first), nil }
					transport := newJWTTransport(t, &discardable{tokens: []string{"held", "new"}}, server.Client().Transport)
					resp, err := transport.RoundTrip(req)
					if err == nil { // one byte more than the length may have been cut off
						require.NoError(t, resp.Body.Close())
					}
					server.Close()
					assert.Zero(t, wrong.Load())
				})
			}
		}
	}
}

// noClose is a body that can be read on after it was closed.
type noClose struct{ io.Reader }

func (noClose) Close() error { return nil }

// discardable is a Discarder that goes over to its next token.
type discardable struct {
	mu     sync.Mutex
	tokens []string
}

func (s *discardable) Token(context.Context, routeauth.Params) (routeauth.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return routeauth.Token{Value: routeauth.Secret(s.tokens[0])}, nil
}

func (s *discardable) Discard(_ context.Context, _ routeauth.Params, rejected routeauth.Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if string(rejected) == s.tokens[0] {
		s.tokens = s.tokens[1:]
	}
}

// Rule 15: params are not taken from a part of the body.
func TestParamsAreNotTakenFromAPartOfTheBody(t *testing.T) {
	source, seen := paramsSeen()
	req := newRequest(t, http.MethodPost, endpoint, `{"image_id": "17"}    `)
	req.GetBody = func() (io.ReadCloser, error) { return newTrackedBody(`{"image_id": "1"}`), nil }
	b := &base{}
	_, err := newJWTTransport(t, source, b, routeauth.WithParams(routeauth.BodyParams("image_id"))).RoundTrip(req)
	credentialErrorOf(t, err)
	assert.Empty(t, b.sent())
	assert.Empty(t, seen())
}

// Rule 2: a copy that is read on ends with an error where the caller's GetBody
// has less than before. Nobody takes half a body for the whole.
func TestACopyThatIsShorterThanWhatWasReadIsAnError(t *testing.T) {
	cache, _ := stale(t, nil, longLived(t, 2)...)
	req := newRequest(t, http.MethodPost, endpoint, "")
	req.Body = newTrackedBody("the body")
	req.GetBody = func() (io.ReadCloser, error) { return newTrackedBody("the"), nil }
	_, err := newJWTTransport(t, cache, roundTripFunc(func(req *http.Request) (*http.Response, error) {
		first := req.Body
		_, err := io.ReadFull(first, make([]byte, 5))
		require.NoError(t, err)
		second, err := req.GetBody()
		require.NoError(t, err)
		_, err = io.ReadAll(first)
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
		_, err = first.Read(make([]byte, 1))
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF, "the error stays")
		require.NoError(t, errors.Join(first.Close(), second.Close()))
		return answer(req, http.StatusOK, ""), nil
	})).RoundTrip(req)
	require.NoError(t, err)
}

// Rule 15: the bytes that are sent are those whose params were read.
func TestTheBytesWhoseParamsWereReadAreSent(t *testing.T) {
	t.Parallel()
	text := `{"image_id": "17", "rest": "` + strings.Repeat("x", 100_000) + `"}`
	for _, http2 := range []bool{false, true} {
		for kind, newBody := range bodyKinds(t, text) {
			api, server := newStrictAPI(t, text, http2)
			source, seen := paramsSeen()
			transport := newJWTTransport(t, source, server.Client().Transport,
				routeauth.WithParams(routeauth.BodyParams("image_id")))
			for name, send := range senders(t, transport) {
				api.good.Store(0)
				resp, err := send(server.URL, newBody())
				require.NoError(t, err, kind)
				require.NoError(t, resp.Body.Close())
				assert.Contains(t, seen(), routeauth.Params{"image_id": "17"})
				assert.EqualValues(t, 1, api.good.Load(), "HTTP/2 %t, %s, %s", http2, kind, name)
			}
		}
	}
}

// Rule 15: up to 1 MiB the caller's GetBody is called once, and past that once
// more. Both times what is sent is the whole, and every copy is closed.
func TestTheCallersBodyIsReadOnceForItsParams(t *testing.T) {
	t.Parallel()
	for size, copies := range map[int]int{0: 1, 1 << 20: 1, 1<<20 + 1: 2, 3 << 20: 2} {
		text := numbered(size)
		var bodies []*trackedBody
		req := newRequest(t, http.MethodPost, endpoint, "")
		own := newTrackedBody(text)
		req.Body = own
		req.GetBody = func() (io.ReadCloser, error) {
			bodies = append(bodies, newTrackedBody(text))
			return bodies[len(bodies)-1], nil
		}
		readsTwice := func(req *http.Request) (routeauth.Params, error) {
			body, err := req.GetBody()
			require.NoError(t, err)
			got, err := io.ReadAll(body)
			require.NoError(t, err)
			assert.Equal(t, len(text), len(got))
			assert.Equal(t, text, string(got))
			return nil, body.Close()
		}
		b := &base{}
		source, _ := paramsSeen()
		_, err := newJWTTransport(t, source, b, routeauth.WithParams(readsTwice)).RoundTrip(req)
		require.NoError(t, err)
		assert.True(t, text == b.only(t).Body, "%d bytes: another body was sent", size)
		assert.Len(t, bodies, copies, "%d bytes", size)
		for _, body := range append(bodies, own) {
			assert.Equal(t, 1, body.closes(), "%d bytes", size)
		}
	}
}

// Rule 15: a body whose copies end early, or cannot be had, is not sent.
func TestABodyThatWasReadAndCannotBeHadAgainIsNotSent(t *testing.T) {
	own := newTrackedBody("body")
	req := newRequest(t, http.MethodPost, endpoint, "")
	req.Body = own
	calls := 0
	req.GetBody = func() (io.ReadCloser, error) {
		if calls++; calls > 1 {
			return nil, errors.New("only once")
		}
		return io.NopCloser(readFunc(func([]byte) (int, error) { return 0, errors.New("the disk is gone") })), nil
	}
	swallows := func(req *http.Request) (routeauth.Params, error) {
		body, err := req.GetBody()
		require.NoError(t, err)
		_, err = io.ReadAll(body)
		assert.ErrorContains(t, err, "the disk is gone")
		return nil, body.Close()
	}
	source, _ := paramsSeen()
	b := &base{}
	_, err := newJWTTransport(t, source, b, routeauth.WithParams(swallows)).RoundTrip(req)
	e := credentialErrorOf(t, err)
	assert.ErrorContains(t, e, "only once")
	assert.False(t, e.Temporary())
	assert.Empty(t, b.sent())
	assert.Equal(t, 1, own.closes())
}

// Rules 15 and 24: a body whose params were read is sent again from memory.
func TestABodyWhoseParamsWereReadIsSentAgainWhole(t *testing.T) {
	tokens := longLived(t, 2)
	const text = `{"a":"1"}`
	cache, _ := stale(t, routeauth.Params{"a": "1"}, tokens...)
	req := rewinding(t, endpoint, strings.NewReader(text))
	b := rejecting(tokens[0])
	resp, err := newJWTTransport(t, cache, b, routeauth.WithParams(routeauth.BodyParams("a"))).RoundTrip(req)
	require.NoError(t, err)
	assert.Same(t, req, resp.Request)
	require.Len(t, b.sent(), 2)
	for _, sent := range b.sent() {
		assert.Equal(t, text, sent.Body)
	}
}
