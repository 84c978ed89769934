package faults

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/issuer"
	"github.com/golang-jwt/jwt/v5"
)

// tokenTTL is short, so that tokens end in the middle of everything.
const tokenTTL = 2 * time.Second

// backend is the app's own backend, which hands out tokens: the package issuer
// behind faults.
type backend struct {
	seed      uint64
	ledger    *ledger
	elsewhere string
	tokens    http.Handler
}

func newBackend(seed uint64, l *ledger, elsewhere string) (*backend, error) {
	signer, err := issuer.New("fault-run", jwtSecret, issuer.WithTTL(tokenTTL))
	if err != nil {
		return nil, err
	}
	// No two tokens are equal, as with an issuer that sets jti.
	var nonce atomic.Int64
	source := routeauth.TokenSourceFunc(func(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
		params["nonce"] = fmt.Sprint(nonce.Add(1))
		return signer.Token(ctx, params)
	})
	tokens, err := issuer.NewHandler(source,
		func(*http.Request, routeauth.Params) error { return nil },
		issuer.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return nil, err
	}
	return &backend{seed, l, elsewhere, tokens}, nil
}

type backendFault string

const (
	handsOut      backendFault = ""
	backendHangs  backendFault = "issuer: hangs"
	backendFails  backendFault = "issuer: 500"
	backendRefuse backendFault = "issuer: 403"
	backendCuts   backendFault = "issuer: cut"
	backendSlow   backendFault = "issuer: slow"
	backendMoved  backendFault = "issuer: redirects to another host"
	sendsHTML     backendFault = "issuer: answers with a page"
	sendsNothing  backendFault = "issuer: answers with an empty token"
	sendsNonsense backendFault = "issuer: answers with what is no token"
	sendsControls backendFault = "issuer: answers with control characters"
	sendsTooMuch  backendFault = "issuer: answers without end"
	sendsExpired  backendFault = "issuer: answers with an expired token"
)

var backendFaults = []weight[backendFault]{
	{handsOut, 45},
	{backendHangs, 3}, {backendFails, 5}, {backendRefuse, 3}, {backendCuts, 4}, {backendSlow, 6}, {backendMoved, 3},
	{sendsHTML, 3}, {sendsNothing, 3}, {sendsNonsense, 4}, {sendsControls, 3}, {sendsTooMuch, 3}, {sendsExpired, 4},
}

func (b *backend) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	b.ledger.servers.Add(1)
	if carriesCredential(req) {
		b.ledger.leakedCredential.Add(1)
	}
	params, _ := io.ReadAll(req.Body)
	req.Body = io.NopCloser(bytes.NewReader(params))
	what := "token " + string(params)
	r := draw(b.seed, what, b.ledger.attempt(what))
	kind := choose(r, backendFaults)
	if kind != handsOut {
		b.ledger.fault(string(kind))
	}
	switch kind {
	case backendHangs:
		pause(req.Context(), longest)
	case backendFails:
		w.WriteHeader(http.StatusInternalServerError)
	case backendRefuse:
		w.WriteHeader(http.StatusForbidden)
	case backendCuts:
		panic(http.ErrAbortHandler)
	case backendMoved:
		http.Redirect(w, req, b.elsewhere, http.StatusTemporaryRedirect)
	case sendsHTML:
		_, _ = io.WriteString(w, "<html>please sign in</html>")
	case sendsNothing:
		sendToken(w, "")
	case sendsNonsense:
		sendToken(w, "this-is-no-jwt")
	case sendsControls:
		sendToken(w, `two\r\nlines`)
	case sendsTooMuch:
		sendToken(w, strings.Repeat("x", 1<<20))
	case sendsExpired:
		sendToken(w, expiredToken())
	case backendSlow:
		pause(req.Context(), milliseconds(r, 60))
		fallthrough
	default:
		b.tokens.ServeHTTP(w, req)
	}
}

func sendToken(w http.ResponseWriter, token string) {
	_, _ = io.WriteString(w, `{"type":"jwt","token":"`+token+`"}`)
}

func expiredToken() string {
	token, _ := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iat": time.Now().Add(-time.Hour).Unix(),
		"exp": time.Now().Add(-time.Minute).Unix(),
	}).SignedString([]byte(jwtSecret))
	return token
}
