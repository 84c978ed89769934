package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"example.com/routeauth"
	"github.com/golang-jwt/jwt/v5"
)

const (
	apiKey         = "key-0123456789abcdef0123456789"
	subscriptionID = "66ec1726e728c1405e5ebca2"
	jwtSecret      = "a secret of the fault run, long enough"

	headerCall   = "X-Call"   // which call a request belongs to
	headerAuth   = "X-Auth"   // which auth its client was made with
	headerCaller = "X-Caller" // which user makes it
	headerBody   = "X-Body"   // the hash of its body

	authJWT    = "jwt"
	authAPIKey = "api-key"

	queryReturned = "returned" // marks a redirect back from another host
	tenantPath    = "/tenant/" // of a neighbour on the API's host
)

// api is the API. It is strict about credentials and unreliable in everything
// else.
type api struct {
	seed      uint64
	ledger    *ledger
	answers   []weight[answerFault]
	elsewhere string   // the URL of another host
	revoked   sync.Map // tokens that were good
}

func (a *api) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	a.ledger.servers.Add(1)
	if !strings.HasPrefix(req.URL.Path, "/v1/") || req.URL.Query().Has(queryReturned) {
		a.answerOutsider(w, req)
		return
	}
	call := req.Header.Get(headerCall)
	r := draw(a.seed, "answer "+call, a.ledger.attempt(call))
	answer := &answer{w, req, r, a}
	kind := choose(r, a.answers)
	if kind == cutUnread {
		answer.give(kind)
		return
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the caller left
	}
	if want := req.Header.Get(headerBody); req.Method == http.MethodPost && want != "" && want != hashOf(string(body)) {
		a.ledger.foreignBody.Add(1)
	}
	if !a.accepts(req, body) {
		answer.reject("this is not good here: %v", req.Header)
		return
	}
	answer.give(kind)
}

// answerOutsider answers a request that may not carry a credential, although it
// came to the API's own host: it lies outside the base URL, or another host
// sent it there.
func (a *api) answerOutsider(w http.ResponseWriter, req *http.Request) {
	if carriesCredential(req) {
		a.ledger.leakedCredential.Add(1)
	}
	if strings.HasPrefix(req.URL.Path, tenantPath) {
		a.ledger.fault("neighbour: 307 into the API")
		w.Header().Set("Location", "/v1/operations?"+queryReturned)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, `{"detail":"nobody's credential was rejected"}`)
}

// accepts reports whether a request carries the credential of its route. It
// counts what no misfortune explains: another credential, or one more.
func (a *api) accepts(req *http.Request, body []byte) bool {
	want := wantedField(req)
	for _, name := range credentialFields {
		count := len(req.Header.Values(name))
		if name == want && count != 1 || name != want && count != 0 {
			a.ledger.wrongCredential.Add(1)
			return false
		}
	}
	switch value := req.Header.Get(want); want {
	case routeauth.HeaderAPIKey:
		return a.isTheOne(value, apiKey)
	case routeauth.HeaderUserID:
		return a.isTheOne(value, subscriptionID)
	default:
		return a.acceptsToken(req, body, value)
	}
}

var credentialFields = []string{routeauth.HeaderAuthorization, routeauth.HeaderUserID, routeauth.HeaderAPIKey}

func wantedField(req *http.Request) string {
	switch {
	case req.Header.Get(headerAuth) == authAPIKey:
		return routeauth.HeaderAPIKey
	case req.Method == http.MethodPost:
		return routeauth.HeaderAuthorization
	default:
		return routeauth.HeaderUserID
	}
}

func (a *api) isTheOne(value, want string) bool {
	if value != want {
		a.ledger.wrongCredential.Add(1)
	}
	return value == want
}

// acceptsToken reports whether a token is good for a request. That it is not a
// token, or an old one, may be the token endpoint's fault. That it is bound to
// something else may not.
func (a *api) acceptsToken(req *http.Request, body []byte, authorization string) bool {
	token, _ := strings.CutPrefix(authorization, "Bearer ")
	if _, revoked := a.revoked.Load(token); revoked {
		return false
	}
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return []byte(jwtSecret), nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired())
	if err != nil {
		return false
	}
	var start struct{ Image string }
	if json.Unmarshal(body, &start) != nil || claims["image"] != start.Image ||
		claims["user"] != req.Header.Get(headerCaller) {
		a.ledger.foreignToken.Add(1)
		return false
	}
	return true
}

// carriesCredential looks for a credential in every place of a request.
func carriesCredential(req *http.Request) bool {
	if hasCredentialField(req) {
		return true
	}
	body, _ := io.ReadAll(io.LimitReader(req.Body, 64<<10))
	req.Body = io.NopCloser(bytes.NewReader(body))
	return showsCredential(fmt.Sprint(req.Header, req.URL, string(body)))
}

func hasCredentialField(req *http.Request) bool {
	return slices.ContainsFunc(credentialFields, func(name string) bool { return len(req.Header.Values(name)) > 0 })
}

// showsCredential reports whether a text holds a secret: the API key or a JWT.
func showsCredential(text string) bool {
	return strings.Contains(text, apiKey) || strings.Contains(text, "eyJ")
}
