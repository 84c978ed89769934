package aiutatest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"example.com/routeauth"
)

// credentials are those that a server accepts. The secrets are in functions,
// where nobody who formats a server sees them.
type credentials struct {
	isAPIKey        atomic.Pointer[func(string) bool]
	subscriptionIDs []string
	tokens          tokenVerifier
	revoked         revokedTokens
}

func newCredentials(cfg Config) *credentials {
	c := &credentials{
		subscriptionIDs: cfg.SubscriptionIDs,
		tokens:          newTokenVerifier(cfg.JWTIssuer, cfg.JWTSecret),
	}
	c.setAPIKeys(cfg.APIKeys)
	return c
}

func (c *credentials) setAPIKeys(keys []routeauth.Secret) {
	keys = slices.Clone(keys)
	isAPIKey := func(value string) bool { return slices.Contains(keys, routeauth.Secret(value)) }
	c.isAPIKey.Store(&isAPIKey)
}

// check returns the scheme of the credential that req is let in with, or why it
// is not.
func (c *credentials) check(req *http.Request, r routeauth.Requirement) (routeauth.Scheme, *rejection) {
	for _, kind := range []struct {
		header string
		scheme routeauth.Scheme
		check  func(*http.Request, string, routeauth.Requirement) *rejection
	}{
		{routeauth.HeaderAuthorization, routeauth.SchemeJWT, c.checkAuthorization},
		{routeauth.HeaderAPIKey, routeauth.SchemeAPIKey, c.checkAPIKey},
		{routeauth.HeaderUserID, routeauth.SchemeSubscription, c.checkSubscriptionID},
	} {
		values := req.Header.Values(kind.header)
		if len(values) == 0 {
			continue
		}
		if len(values) > 1 {
			return "", reject("%s is there %d times", kind.header, len(values))
		}
		if rejected := kind.check(req, values[0], r); rejected != nil {
			return "", rejected
		}
		return kind.scheme, nil
	}
	return "", reject("there is no credential; this endpoint takes %s", accepted(r))
}

// accepted names the header fields that an endpoint takes.
func accepted(r routeauth.Requirement) string {
	if r == routeauth.Mandatory {
		return "Authorization with a bearer token, or x-api-key"
	}
	return "Authorization with a bearer token, x-api-key, or x-user-id"
}

func (c *credentials) checkAuthorization(req *http.Request, value string, _ routeauth.Requirement) *rejection {
	scheme, token, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, "Bearer") { // RFC 9110, section 11.1
		return reject("the scheme of Authorization is not Bearer")
	}
	token = strings.TrimLeft(token, " ")
	fault := c.tokens.fault(token, req)
	if fault == "" && !c.revoked.accept(token) {
		fault = "the token was revoked"
	}
	if fault != "" {
		return &rejection{fault, bearerChallenge + `, error="invalid_token"`}
	}
	return nil
}

func (c *credentials) checkAPIKey(_ *http.Request, value string, _ routeauth.Requirement) *rejection {
	if value == "" {
		return reject("x-api-key is empty")
	}
	if !(*c.isAPIKey.Load())(value) {
		return reject("x-api-key holds no API key of this server")
	}
	return nil
}

func (c *credentials) checkSubscriptionID(_ *http.Request, value string, r routeauth.Requirement) *rejection {
	if r == routeauth.Mandatory {
		return reject("x-user-id is not enough; this endpoint takes %s", accepted(r))
	}
	if value == "" {
		return reject("x-user-id is empty")
	}
	if !slices.Contains(c.subscriptionIDs, value) {
		return reject("x-user-id holds no subscription ID of this server")
	}
	return nil
}

// bearerChallenge is that of RFC 6750, section 3. It stands in every 401, since
// every endpoint takes a bearer token; an error code is added only where one
// was sent.
const bearerChallenge = `Bearer realm="aiuta"`

// rejection is a 401.
type rejection struct {
	detail    string
	challenge string
}

func reject(format string, args ...any) *rejection {
	return &rejection{fmt.Sprintf(format, args...), bearerChallenge}
}

func (r *rejection) write(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", r.challenge)
	writeJSON(w, http.StatusUnauthorized, map[string]string{"detail": r.detail})
}
