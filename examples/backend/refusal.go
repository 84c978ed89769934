package main

import (
	"fmt"
	"net/http"
	"time"
)

// refusal is an error of authorize that says what the client is answered. The
// reason goes to the log alone.
type refusal struct {
	status     int
	retryAfter time.Duration // 0 for none
	reason     string
}

func (r *refusal) Error() string { return r.reason }

// StatusCode and RetryAfter are what the handler of package issuer looks for.
func (r *refusal) StatusCode() int           { return r.status }
func (r *refusal) RetryAfter() time.Duration { return r.retryAfter }

// unknown refuses who may log in and come back.
func unknown(reason string) error {
	return &refusal{status: http.StatusUnauthorized, reason: reason}
}

// forbidden refuses for good.
func forbidden(format string, args ...any) error {
	return &refusal{status: http.StatusForbidden, reason: fmt.Sprintf(format, args...)}
}

// tooOften refuses for a time.
func tooOften(wait time.Duration, user string) error {
	return &refusal{http.StatusTooManyRequests, wait, fmt.Sprintf("user %q asks too often", user)}
}
