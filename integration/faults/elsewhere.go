package faults

import (
	"io"
	"net/http"
)

// elsewhere is a host that is not the API. It gets requests of callers and of
// redirects, and counts those that carry a credential.
type elsewhere struct {
	seed   uint64
	ledger *ledger
	api    func() string // the API's URL
}

type elsewhereAnswer string

const (
	answers   elsewhereAnswer = ""
	unwilling elsewhereAnswer = "elsewhere: 401"
	sendsBack elsewhereAnswer = "elsewhere: redirects to the API"
	cuts      elsewhereAnswer = "elsewhere: cut"
)

var elsewhereAnswers = []weight[elsewhereAnswer]{{answers, 6}, {unwilling, 2}, {sendsBack, 3}, {cuts, 1}}

func (e *elsewhere) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	e.ledger.servers.Add(1)
	if carriesCredential(req) {
		e.ledger.leakedCredential.Add(1)
	}
	call := "elsewhere " + req.Header.Get(headerCall)
	kind := choose(draw(e.seed, call, e.ledger.attempt(call)), elsewhereAnswers)
	if kind != answers {
		e.ledger.fault(string(kind))
	}
	switch kind {
	case unwilling:
		w.WriteHeader(http.StatusUnauthorized)
	case sendsBack:
		http.Redirect(w, req, e.api()+"/v1/operations/7?"+queryReturned, http.StatusFound)
	case cuts:
		panic(http.ErrAbortHandler)
	default:
		_, _ = io.WriteString(w, `{"operation":"not the API's"}`)
	}
}
