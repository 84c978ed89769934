package retry

import "net/http"

// standInRequest returns what the client sees of req: enough for its log, and
// nothing that an http.Client refuses or acts upon. It has no RequestURI, user
// info, field or body.
func standInRequest(req *http.Request) *http.Request {
	u := *req.URL
	u.User = nil
	standIn := &http.Request{Method: req.Method, URL: &u, Header: make(http.Header)}
	return standIn.WithContext(req.Context())
}

// standInResponse returns what the client sees of resp: its status. It has no
// Location, cookie or body.
func standInResponse(resp *http.Response, req *http.Request) *http.Response {
	return &http.Response{
		Status:     resp.Status,
		StatusCode: resp.StatusCode,
		Header:     make(http.Header),
		Body:       http.NoBody,
		Request:    req,
	}
}

// withBody returns resp for a policy, which may read the body without asking
// whether there is one.
func withBody(resp *http.Response) *http.Response {
	if resp == nil || resp.Body != nil {
		return resp
	}
	shown := *resp
	shown.Body = http.NoBody
	return &shown
}
