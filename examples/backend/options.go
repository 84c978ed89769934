package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"
)

// The settings that are secret, or go with one.
const (
	envKey      = "AIUTA_JWT_KEY"
	envSecret   = "AIUTA_JWT_SECRET"
	envSessions = "BACKEND_SESSIONS"
)

const usage = `Usage: backend [flags]

It hands out JWTs at /jwt to the users whose session it knows, until it is
interrupted. In the environment it needs

  AIUTA_JWT_KEY     the JWT key, which is the claim iss
  AIUTA_JWT_SECRET  the JWT secret, which signs
  BACKEND_SESSIONS  who may have tokens: user=session,user=session,…
                    (a user sends "Authorization: Bearer <session>")

Flags:
`

// options are the settings that are not secret.
type options struct {
	addr      string
	ttl       time.Duration
	perMinute int
	json      bool
}

// parse reads the command line, or explains it to stderr.
func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("backend", flag.ContinueOnError)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8080", "listen on this `address`")
	flags.DurationVar(&o.ttl, "ttl", time.Minute, "tokens live for this `long`")
	flags.IntVar(&o.perMinute, "per-minute", 30, "a user gets this `many` tokens a minute, and as many at once")
	flags.BoolVar(&o.json, "json", false, "log JSON, not text")
	flags.SetOutput(io.Discard) // report says it in one line
	flags.Usage = func() {}

	err = flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stderr, usage)
		flags.SetOutput(stderr)
		flags.PrintDefaults()
	case err != nil:
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.addr == "":
		err = errors.New("-addr is empty")
	case o.ttl < time.Second:
		err = fmt.Errorf("-ttl is %v: it must be one second or more", o.ttl)
	case o.perMinute < 1:
		err = fmt.Errorf("-per-minute is %d: it must be 1 or more", o.perMinute)
	}
	return o, err
}
