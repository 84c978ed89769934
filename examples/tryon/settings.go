package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"example.com/routeauth"
)

//go:embed person.png
var person []byte

// settings say what to try on where, and as whom.
type settings struct {
	baseURL   string // empty for the API in this process
	imageName string
	image     []byte
	sku       string
	interval  func(polls int) time.Duration // between polls
	results   results
	screen    screen

	apiKey         routeauth.Secret
	subscriptionID string
	tokenURL       string // the app's backend; empty for one in this process
	jwtKey         string // the claim iss of its tokens
	jwtSecret      routeauth.Secret
}

const usage = `Usage: go run ./examples/tryon [flags]

Uploads an image, starts a generation, polls it and fetches the result. Without
-base-url, the API and the backend that issues JWTs run in this process. With
it, each part starts a generation, which costs money, of the garment -sku:

  AIUTA_API_KEY=… go run ./examples/tryon -sku=ID \
    -base-url=https://api.aiuta.com/digital-try-on/v1

Flags:
`

const environment = `
Environment, read only with -base-url:
  AIUTA_API_KEY          the API key; runs the part with APIKeyAuth
  AIUTA_SUBSCRIPTION_ID  the subscription ID; runs the part with JWTAuth, for
                         which it needs the next one or the two after it
  AIUTA_TOKEN_URL        the URL of your backend that issues JWTs
  AIUTA_JWT_KEY          the JWT key (the claim iss) and
  AIUTA_JWT_SECRET       the JWT secret, for a backend in this process
`

func parseSettings(args []string, getenv func(string) string, out io.Writer) (*settings, error) {
	s := &settings{imageName: "person.png", image: person, interval: pollInterval}
	s.screen = screenOf(out, getenv)
	flags := flag.NewFlagSet("tryon", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the caller prints the error, once
	flags.StringVar(&s.baseURL, "base-url", "", "base `URL` of a Digital Try-On API; without it, one in this process")
	image := flags.String("image", "", "image `file` to upload; without it, a drawing that comes along")
	flags.StringVar(&s.results.name, "out", "", "`file` to write the result to, the next one to file-2, and so on")
	flags.StringVar(&s.sku, "sku", "demo-sku", "`ID` of the garment to try on")

	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(out)
			fmt.Fprint(out, usage)
			flags.PrintDefaults()
			fmt.Fprint(out, environment)
		}
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q: -h explains", flags.Arg(0))
	}
	var err error
	flags.Visit(func(f *flag.Flag) { // an unset variable in a shell is a likely mistake
		if f.Value.String() == "" {
			err = errors.Join(err, fmt.Errorf("-%s is empty", f.Name))
		}
	})
	if *image != "" && err == nil {
		s.imageName = filepath.Base(*image)
		s.image, err = readImage(*image)
	}
	if s.results.name != "" && err == nil {
		err = s.results.check()
	}
	if err != nil {
		return nil, err
	}
	s.baseURL = strings.TrimRight(s.baseURL, "/")
	if s.baseURL == "" {
		return s, nil
	}
	return s, s.readCredentials(getenv)
}

// maxImage is the largest image that is uploaded.
const maxImage = 32 << 20

func readImage(name string) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, fmt.Errorf("-image: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("-image: %s is not a regular file", name)
	case info.Size() == 0 || info.Size() > maxImage:
		return nil, fmt.Errorf("-image: %s has %d bytes; an image has 1 to %d", name, info.Size(), maxImage)
	}
	return os.ReadFile(name)
}

func (s *settings) readCredentials(getenv func(string) string) error {
	s.apiKey = routeauth.Secret(getenv("AIUTA_API_KEY"))
	s.subscriptionID = getenv("AIUTA_SUBSCRIPTION_ID")
	s.tokenURL = getenv("AIUTA_TOKEN_URL")
	s.jwtKey = getenv("AIUTA_JWT_KEY")
	s.jwtSecret = routeauth.Secret(getenv("AIUTA_JWT_SECRET"))

	hasKeyPair := s.jwtKey != "" && s.jwtSecret != ""
	switch {
	case s.apiKey == "" && s.subscriptionID == "":
		return errors.New("-base-url needs credentials: set AIUTA_API_KEY or AIUTA_SUBSCRIPTION_ID, or both; -h explains")
	case s.subscriptionID == "" && (s.tokenURL != "" || s.jwtKey != "" || s.jwtSecret != ""):
		return errors.New("JWTs need a subscription ID beside them: set AIUTA_SUBSCRIPTION_ID; -h explains")
	case s.subscriptionID != "" && s.tokenURL == "" && !hasKeyPair:
		return errors.New("AIUTA_SUBSCRIPTION_ID needs a source of JWTs: set AIUTA_TOKEN_URL, or AIUTA_JWT_KEY and AIUTA_JWT_SECRET; -h explains")
	}
	return nil
}
