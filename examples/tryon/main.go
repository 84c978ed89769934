// Command tryon does the main job of routeauth end to end: it uploads an image,
// starts a generation, polls it and fetches the result, once with a JWT and the
// subscription ID and once with an API key, and prints what a routeauth.Trace
// tells of each call: what the policy demands, and which credential goes out.
// Then a JWT is rejected, and it shows how a caller tells that apart.
//
// Without arguments it runs against an API and a backend of its own, both in
// this process. With -base-url and credentials in the environment it runs
// against a real API; -h explains.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"unicode"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return
	case ctx.Err() != nil:
		err = errors.New("interrupted")
	}
	fmt.Fprintln(os.Stderr, "tryon:", oneLine(err.Error()))
	os.Exit(1)
}

// oneLine makes an error fit into a line of a terminal.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ReplaceAll(text, "\n", "; "))
}

// run is the program without the process around it. Its error is one line for
// each thing that is wrong.
func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	s, err := parseSettings(args, getenv, out)
	if err != nil {
		return err
	}
	return perform(ctx, s, out)
}

// perform goes through the sequences for which there are credentials.
func perform(ctx context.Context, s *settings, out io.Writer) error {
	if s.baseURL == "" {
		closeAPI := embedAPI(s)
		defer closeAPI()
	}
	calls := &callLog{out: out, screen: s.screen}
	defer calls.printf("") // takes the progress away where something failed
	if err := trySequences(ctx, s, calls); err != nil {
		return errors.New(calls.hide(err.Error()))
	}
	return nil
}

func trySequences(ctx context.Context, s *settings, calls *callLog) error {
	if s.subscriptionID != "" {
		if err := tryOnWithJWT(ctx, s, calls); err != nil {
			return fmt.Errorf("JWTAuth: %w", err)
		}
	}
	if s.apiKey != "" {
		if err := tryOnWithAPIKey(ctx, s, calls); err != nil {
			return fmt.Errorf("APIKeyAuth: %w", err)
		}
	}
	if s.subscriptionID != "" {
		if err := tryOnWithInvalidJWT(ctx, s, calls); err != nil {
			return fmt.Errorf("invalid JWT: %w", err)
		}
	}
	return nil
}
