package main

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
)

// minSession is the length under which a session token can be guessed.
const minSession = 16

// sessions knows the users by the SHA-256 of their session tokens, so that how
// long a lookup takes says nothing about them.
//
// It stands in for what a backend has anyway: put your own session middleware,
// cookie or identity provider in the place of its method user.
type sessions map[[sha256.Size]byte]string

// parseSessions reads user=session,user=session. Its errors show no session.
func parseSessions(list string) (sessions, error) {
	users := make(sessions)
	for i, entry := range strings.Split(list, ",") {
		user, session, found := strings.Cut(strings.TrimSpace(entry), "=")
		key := sha256.Sum256([]byte(session))
		switch {
		case !found || user == "":
			return nil, fmt.Errorf("entry %d is not of the form user=session", i+1)
		case len(session) < minSession:
			return nil, fmt.Errorf("entry %d: a session token has %d characters or more", i+1, minSession)
		case users[key] != "":
			return nil, fmt.Errorf("entry %d: two users have the same session token", i+1)
		}
		users[key] = user
	}
	return users, nil
}

// user returns whose session req comes with.
func (s sessions) user(req *http.Request) (string, error) {
	scheme, session, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	user, known := s[sha256.Sum256([]byte(session))]
	if !strings.EqualFold(scheme, "Bearer") || !known {
		return "", unknown("no known session")
	}
	return user, nil
}
