package roundtriptest

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fault is a wrapper that breaks clauses.
type fault struct {
	name  string
	wrap  WrapFunc
	opts  []Option
	fails []string
}

// failures returns what each clause says that the wrapper breaks, the clauses of
// advice among them.
func failures(t *testing.T, wrap WrapFunc, opts ...Option) map[string]error {
	s, err := newSuite(wrap, append([]Option{Strict()}, opts...)...)
	require.NoError(t, err)
	failed := make(map[string]error)
	for _, c := range s.clauses() {
		if _, skipped := s.skips[c.name]; skipped {
			continue
		}
		// In a bubble a check waits no longer than it takes until all of its
		// goroutines wait, and not for a busy machine.
		synctest.Test(t, func(*testing.T) {
			err = s.verdict(c)
			time.Sleep(24 * time.Hour) // a wrapper that sleeps may do so to its end
		})
		if reason := notApplicable(""); err != nil && !errors.As(err, &reason) {
			failed[c.name] = err
		}
	}
	return failed
}

// single are faults that break one clause each.
var single = slices.Concat(sentFaults, requestFaults, bodyFaults, contextFaults, waitFaults,
	statusFaults, responseFaults, responseBodyFaults, concurrencyFaults,
	credentialFaults, redirectFaults, adviceFaults, kindFaults)

func TestAFaultBreaksItsClausesAndNoOther(t *testing.T) {
	for _, f := range slices.Concat(single, several) {
		t.Run(f.name, func(t *testing.T) {
			failed := failures(t, f.wrap, f.opts...)
			assert.ElementsMatch(t, f.fails, slices.Collect(maps.Keys(failed)), "%v", failed)
			for name, err := range failed {
				assert.NotContains(t, err.Error(), "in example.com/routeauth/roundtriptest.(*suite)", "%s: the suite itself panics", name)
			}
		})
	}
}

func TestEachClauseIsBrokenAloneByAFault(t *testing.T) {
	alone := make(map[string]bool)
	for _, f := range single {
		require.Len(t, f.fails, 1, f.name)
		alone[f.fails[0]] = true
	}
	for _, name := range clauseNames() {
		assert.True(t, alone[name], "no fault breaks %s alone", name)
	}
}

// several are faults as they are seen in the wild, which may break more than one
// clause each.
var several = []fault{
	{name: "closes the body when it returns",
		fails: []string{"body/late-read", "advice/closed-once"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.Body != nil {
				defer req.Body.Close()
			}
			return base.RoundTrip(req)
		})},
	{name: "hands the base a body that cannot be closed",
		fails: []string{"body/closed", "body/closed-on-error", "advice/own-body", "advice/nil-header", "advice/nil-url"},
		wrap:  withBody(func(body io.ReadCloser) io.ReadCloser { return io.NopCloser(body) })},
	{name: "signs the body and forgets to put it back",
		fails: []string{"sent/body"},
		wrap: sending(func(req *http.Request) *http.Request {
			if req.Body != nil {
				_, _ = io.Copy(io.Discard, req.Body)
			}
			return req
		})},
	{name: "signs the body and puts a copy into the caller's request",
		fails: []string{"request/fields", "body/closed", "body/closed-on-error", "advice/own-body", "advice/nil-header", "advice/nil-url"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.Body != nil && req.Body != http.NoBody {
				body, err := io.ReadAll(req.Body)
				if err != nil {
					return nil, err
				}
				req.Body = io.NopCloser(bytes.NewReader(body))
			}
			return base.RoundTrip(req)
		})},
	{name: "logs each response whole",
		fails: []string{"response/streamed", "advice/own-response-body"},
		wrap: changingResponse(func(resp *http.Response) {
			if resp.StatusCode != http.StatusSwitchingProtocols {
				_, _ = httputil.DumpResponse(resp, true)
			}
		})},
	{name: "wraps each response's body",
		fails: []string{"response/upgrade", "advice/own-response-body"},
		wrap:  changingResponse(func(resp *http.Response) { resp.Body = counted{resp.Body} })},
	{name: "retries without another body",
		fails: []string{"sent/once-on-error", "advice/closed-once"},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			resp, err := base.RoundTrip(req)
			if err != nil {
				return base.RoundTrip(req)
			}
			return resp, err
		})},
	{name: "answers concurrent requests with the response to the first", fails: []string{"sent/once", "transport/concurrent"},
		wrap: func(base http.RoundTripper) (http.RoundTripper, error) {
			return &oneResponse{wrapper: wrapper{base: base}}, nil
		}},
	{name: "makes a request of its own",
		fails: []string{
			"sent/host", "sent/content-length", "sent/transfer-encoding", "sent/close", "sent/get-body", "sent/trailer",
			"sent/url", "advice/cancel-channel", "advice/redirect-chain",
		},
		wrap: wrapping(func(base http.RoundTripper, req *http.Request) (*http.Response, error) {
			if req.URL == nil {
				return nil, errors.Join(errRefused, req.Body.Close())
			}
			sent, err := http.NewRequestWithContext(req.Context(), req.Method, req.URL.String(), req.Body)
			if err != nil {
				return nil, err
			}
			sent.Header = req.Header.Clone()
			return base.RoundTrip(sent)
		})},
	{name: "makes a response of its own",
		fails: []string{
			"response/status-line", "response/header", "response/content-length", "response/framing", "response/trailer",
			"response/tls", "response/request", "response/401", "advice/location",
		},
		wrap: returning(func(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
			if err != nil || resp == nil {
				discard(resp)
				return nil, err
			}
			return &http.Response{StatusCode: resp.StatusCode, Body: resp.Body}, nil
		})},
	{name: "refuses everything", opts: withCredential,
		fails: []string{
			"sent/once", "sent/empty-method", "context/cancel", "context/reading", "context/lifetime", "context/values",
			"body/closed-on-refusal", "transport/concurrent",
			"response/101", "response/2xx", "response/3xx", "response/401", "response/4xx", "response/5xx",
			"credential/sent", "credential/single", "credential/request", "credential/response",
			"redirect/other-host", "redirect/further", "redirect/subdomain", "redirect/port", "redirect/downgrade", "redirect/return",
			"advice/nil-header", "advice/nil-url", "advice/header-values", "advice/redirect-chain", "advice/cancel-channel", "advice/own-body", "advice/copies-closed", "advice/base-error",
		},
		wrap: wrapping(func(http.RoundTripper, *http.Request) (*http.Response, error) { return nil, errRefused })},
	{name: "sets the credential in the caller's header, at every hop", opts: withCredential,
		fails: []string{
			"credential/other-case", "credential/request", "credential/response",
			"redirect/other-host", "redirect/further", "redirect/subdomain", "redirect/port", "redirect/downgrade", "redirect/return",
			"advice/nil-header",
		},
		wrap: sending(func(req *http.Request) *http.Request { req.Header.Set(key, "secret"); return req })},
	{name: "clones the request and adds the credential, at every hop", opts: withCredential,
		fails: []string{
			"sent/trailer",
			"credential/other-case", "credential/response",
			"redirect/other-host", "redirect/further", "redirect/subdomain", "redirect/port", "redirect/downgrade", "redirect/return",
			"advice/nil-header",
		},
		wrap: sending(func(req *http.Request) *http.Request {
			sent := req.Clone(req.Context())
			sent.Header.Set(key, "secret")
			return sent
		})},
	{name: "adds the credential at every hop", opts: withCredential,
		fails: []string{"redirect/other-host", "redirect/further", "redirect/subdomain", "redirect/port", "redirect/downgrade", "redirect/return"},
		wrap:  authenticating(func(*http.Request) bool { return true }, withKey)},
}
