// Command backend hands out the JWTs of an app's users: a small, complete
// backend to copy and change.
//
// It serves one endpoint, /jwt, for the app's RemoteTokenSource. Who calls is
// known by the session token in the header Authorization; see sessions for what
// to put in its place. Without a known one the answer is 401. A user gets tokens
// for the params that the API binds tokens to, at least one of them and none of
// them empty, or else 403; and only so many in a minute, or else 429 with
// Retry-After. An app that makes mandatory calls without such a param, such as
// listing a catalog, needs tokens that are bound to nothing: see authorize.
//
// It speaks plain HTTP and listens on the loopback interface: put a proxy that
// ends TLS in front of it. Secrets come from the environment, since everybody on
// the machine can read a program's arguments.
//
//	export AIUTA_JWT_KEY=… AIUTA_JWT_SECRET=…
//	export BACKEND_SESSIONS="alice=$(openssl rand -hex 16)"
//	go run ./examples/backend
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/issuer"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal does not wait for anybody
	os.Exit(report(run(ctx, os.Args[1:], os.Getenv, os.Stderr), os.Stderr))
}

// usageError is a fault of the command line.
type usageError struct{ error }

// report says what went wrong and returns the exit status.
func report(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "backend:", err)
	if errors.As(err, new(usageError)) {
		return 2
	}
	return 1
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) error {
	options, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return usageError{fmt.Errorf("%w (-h explains)", err)}
	}
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	if options.json {
		logger = slog.New(slog.NewJSONHandler(stderr, nil))
	}
	tokens, err := newTokenHandler(options, getenv, logger)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/jwt", challenge(tokens))

	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", options.addr)
	if err != nil {
		return err
	}
	logger.Info("listening", "addr", listener.Addr().String())
	return serve(ctx, listener, newServer(mux, logger), logger)
}

// newTokenHandler returns the handler that hands out tokens to known users.
func newTokenHandler(o options, getenv func(string) string, logger *slog.Logger) (http.Handler, error) {
	var missing []string
	for _, name := range []string{envKey, envSecret, envSessions} {
		if getenv(name) == "" {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return nil, fmt.Errorf("not set in the environment: %s (-h explains)", strings.Join(missing, ", "))
	}
	source, err := issuer.New(getenv(envKey), routeauth.Secret(getenv(envSecret)), issuer.WithTTL(o.ttl))
	if err != nil {
		return nil, err
	}
	users, err := parseSessions(getenv(envSessions))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", envSessions, err)
	}
	gate := gate{users, newLimits(o.perMinute)}
	return issuer.NewHandler(source, gate.authorize, issuer.WithLogger(logger))
}

// challenge says how to log in, as a 401 must (RFC 9110, section 15.5.2) and
// every other answer may. Leave it out where a cookie says who is logged in.
func challenge(tokens http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		tokens.ServeHTTP(w, req)
	})
}

// gate decides who may have which token.
type gate struct {
	users  sessions
	limits *limits
}

// boundParams are the fields of a request that the API binds a token to.
var boundParams = []string{"uploaded_image_id", "sku_id", "sku_ids"}

// authorize refuses with a reason for the log. A backend that knows which images
// are whose also compares params["uploaded_image_id"] with the user here.
func (g *gate) authorize(req *http.Request, params routeauth.Params) error {
	user, err := g.users.user(req)
	if err != nil {
		return err
	}
	if len(params) == 0 {
		return forbidden("user %q asks for a token that is good for any request", user)
	}
	for name, value := range params {
		switch {
		case !slices.Contains(boundParams, name):
			return forbidden("user %q asks for a claim %q, which tokens do not have", user, name)
		case strings.Trim(value, ", ") == "": // a list arrives joined by commas
			return forbidden("user %q asks for a token with an empty %q", user, name)
		}
	}
	if wait := g.limits.wait(user); wait > 0 { // last: what is refused does not count
		return tooOften(wait, user)
	}
	return nil
}

// newServer returns a server that no slow client can hold for long.
func newServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10, // which bounds the query too
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

// serve serves until ctx ends, and then until the requests that came before
// have their answers.
func serve(ctx context.Context, listener net.Listener, server *http.Server, logger *slog.Logger) error {
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	logger.Info("shutting down")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return server.Shutdown(ctx)
}
