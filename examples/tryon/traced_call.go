package main

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"example.com/routeauth"
)

// tracedCall is a call of the API's client, and what a routeauth.Trace told of it.
type tracedCall struct {
	began    time.Time
	decision routeauth.Decision
	rejected bool // with a 401, which then is an error and no response
}

type tracedCallKey struct{}

// tracedCallOf returns the call that a request belongs to. There always is one:
// tracedTransport put it there.
func tracedCallOf(ctx context.Context) *tracedCall {
	return ctx.Value(tracedCallKey{}).(*tracedCall)
}

// trace returns what tells this log of the calls of a tracedTransport.
func (l *callLog) trace(baseURL string) *routeauth.Trace {
	return &routeauth.Trace{
		Decided: func(ctx context.Context, d routeauth.Decision) {
			tracedCallOf(ctx).decision = d
		},
		Unauthorized: func(ctx context.Context, _ *routeauth.UnauthorizedError, sentAgain bool) {
			call := tracedCallOf(ctx)
			call.rejected = !sentAgain
			if sentAgain { // this call has a line for each of its two requests
				l.print(call.row(baseURL, "401"))
				call.began = time.Now()
			}
		},
	}
}

// tracedTransport prints each call, once it has ended, as the trace told of it.
// It stands above authentication. What a call took is what its caller waited,
// for the credential too.
type tracedTransport struct {
	log     *callLog
	baseURL string
	next    http.RoundTripper // with the log's trace
}

func (t tracedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	call := &tracedCall{began: time.Now()}
	resp, err := t.next.RoundTrip(req.WithContext(context.WithValue(req.Context(), tracedCallKey{}, call)))
	status := "-"
	switch {
	case call.rejected:
		status = "401"
	case err == nil:
		status = strconv.Itoa(resp.StatusCode)
	}
	t.log.print(call.row(t.baseURL, status))
	return resp, err
}

func (c *tracedCall) row(baseURL, status string) row {
	d := c.decision
	requirement := d.Requirement.String()
	switch {
	case d.Verdict != routeauth.InScope: // then no route was asked
		requirement = d.Verdict.String()
	case d.Redirected:
		requirement = "redirected"
	}
	return row{d.Method, pathBelow(baseURL, d.URL), requirement, credentialOf(d.Scheme), status, milliseconds(time.Since(c.began))}
}

// pathBelow returns the path of a URL, of the API's relative to its base URL.
func pathBelow(baseURL, rawURL string) string {
	if below, found := strings.CutPrefix(rawURL, baseURL+"/"); found {
		return "/" + below
	}
	parsed, err := url.Parse(rawURL)
	if err != nil {
		return rawURL
	}
	return parsed.EscapedPath()
}

// credentialOf names the field in which a credential goes out, and its scheme.
func credentialOf(scheme routeauth.Scheme) string {
	field, found := map[routeauth.Scheme]string{
		routeauth.SchemeJWT:          "Authorization",
		routeauth.SchemeSubscription: "x-user-id",
		routeauth.SchemeAPIKey:       "x-api-key",
	}[scheme]
	if !found {
		return "-"
	}
	return field + " (" + string(scheme) + ")"
}
