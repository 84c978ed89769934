package faults

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"example.com/routeauth"
)

// callTimeout is how long a caller waits for a call.
const callTimeout = time.Second

// action is what a caller does.
type action string

const (
	starts      action = "start"       // mandatory
	readsStatus action = "status"      // optional
	goesAway    action = "elsewhere"   // another host
	goesOutside action = "out of base" // the API's host, outside the base URL
	asksTenant  action = "neighbour"   // the API's host, a neighbour's path that leads back
)

var actions = []weight[action]{{starts, 60}, {readsStatus, 20}, {goesAway, 10}, {goesOutside, 5}, {asksTenant, 5}}

// call makes the nth call of the run.
func (r *run) call(ctx context.Context, nth int) {
	d := draw(r.seed, "call", nth)
	stack := r.stacks[d.IntN(len(r.stacks))]
	id := fmt.Sprintf("%d", nth)
	ctx, cancel := withPatience(ctx, d)
	defer cancel()
	user := fmt.Sprintf("user-%d", d.IntN(3))
	ctx = routeauth.ContextWithParams(ctx, routeauth.Params{"user": user})

	what := choose(d, actions)
	req, err := r.newRequest(ctx, what, id, d)
	if err != nil {
		panic(err) // a request of this package is malformed
	}
	req.Header.Set(headerCall, id)
	req.Header.Set(headerCaller, user)
	req.Header.Set(headerAuth, stack.auth)

	resp, err := stack.client.Do(req)
	r.lookForSecrets(err)
	verdict := verdictOf(id, resp, err, d.IntN(10) == 0)
	if what == starts {
		r.started.Add(1)
		r.ledger.tell(id, verdict)
	}
}

// withPatience gives a call the time that its caller has. Some have all the time
// there is: the end of a context closes what was left open, and so hides it.
func withPatience(ctx context.Context, d *rand.Rand) (context.Context, context.CancelFunc) {
	switch n := d.IntN(20); {
	case n == 0:
		return context.WithTimeout(ctx, milliseconds(d, 20))
	case n < 5:
		return ctx, func() {}
	default:
		return context.WithTimeout(ctx, callTimeout)
	}
}

func (r *run) newRequest(ctx context.Context, what action, id string, d *rand.Rand) (*http.Request, error) {
	switch what {
	case starts:
		return r.newStart(ctx, d)
	case asksTenant:
		return http.NewRequestWithContext(ctx, http.MethodPost, r.api.URL+tenantPath+"x", strings.NewReader("{}"))
	case goesAway:
		return http.NewRequestWithContext(ctx, http.MethodPost, r.elsewhere.URL+"/v1/operations", strings.NewReader("{}"))
	case goesOutside:
		return http.NewRequestWithContext(ctx, http.MethodGet, r.api.URL+"/v2/operations/"+id, nil)
	default:
		return http.NewRequestWithContext(ctx, http.MethodGet, r.api.URL+"/v1/operations/"+id, nil)
	}
}

// newStart returns a start. Some bodies are long, and of some GetBody rewinds the
// one reader that there is, as that of go-retryablehttp does.
func (r *run) newStart(ctx context.Context, d *rand.Rand) (*http.Request, error) {
	body := fmt.Sprintf(`{"image":"image-%d","padding":"%s"}`, d.IntN(4), strings.Repeat("x", d.IntN(2)*d.IntN(100_000)))
	reader := strings.NewReader(body)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.api.URL+"/v1/operations", reader)
	if err != nil {
		return nil, err
	}
	req.Header.Set(headerBody, hashOf(body))
	if d.IntN(2) == 0 {
		r.ledger.fault("caller: GetBody rewinds")
		req.GetBody = func() (io.ReadCloser, error) {
			_, err := reader.Seek(0, io.SeekStart)
			return io.NopCloser(reader), err
		}
	}
	return req, nil
}

func hashOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:8])
}

// verdictOf says what a caller learns about a call from what came back. It
// closes the response, and where the caller does not care, it does so unread.
func verdictOf(id string, resp *http.Response, err error, unread bool) verdict {
	if err != nil {
		return verdictOfError(err)
	}
	defer resp.Body.Close()
	if unread {
		return failed
	}
	var body struct{ Operation string }
	err = json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&body)
	switch {
	case resp.StatusCode == http.StatusTooManyRequests && resp.Request.Response == nil:
		return notStarted
	case resp.StatusCode == http.StatusOK && err == nil && body.Operation == id:
		return succeeded
	default:
		return failed
	}
}

// verdictOfError knows the two errors that say that the server has not acted,
// unless they are about a later hop of a redirect.
func verdictOfError(err error) verdict {
	var unauthorized *routeauth.UnauthorizedError
	var credential *routeauth.CredentialError
	if errors.As(err, &unauthorized) && unauthorized.Method == http.MethodPost ||
		errors.As(err, &credential) && credential.Method == http.MethodPost {
		return notStarted
	}
	return failed
}

// lookForSecrets looks at an error in the ways in which programs do.
func (r *run) lookForSecrets(err error) {
	if err == nil {
		return
	}
	text := fmt.Sprintf("%v %+v %#v", err, err, err)
	var unauthorized *routeauth.UnauthorizedError
	if errors.As(err, &unauthorized) {
		text += fmt.Sprintf("%+v %s", *unauthorized, unauthorized.Body)
	}
	if showsCredential(text) || strings.Contains(text, jwtSecret) {
		r.ledger.secretInError.Add(1)
	}
}
