package routeauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"

	"example.com/routeauth"
)

// Why is no credential sent? Ask the policy.
func ExamplePolicy_Match() {
	policy, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{
		"GET /operations/{id}": routeauth.Optional,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, url := range []string{
		"https://api.example.com/v1/operations/17",
		"https://api.example.com/v1/operations",
		"https://www.api.example.com/v1/operations",
		"http://api.example.com/v1/operations",
		"https://api.example.com/operations",
		"https://api.example.com/v1/..%2fadmin",
	} {
		req, err := http.NewRequest("GET", url, nil)
		if err != nil {
			log.Fatal(err)
		}
		match := policy.Match(req)
		fmt.Printf("%s, %s: %s\n", match.Verdict, match.Requirement, match.Reason)
	}
	// Output:
	// in scope, optional: the route "GET /operations/{id}" is optional
	// in scope, mandatory: no route matches, so it is mandatory
	// out of scope, mandatory: the host is www.api.example.com, the policy's is api.example.com
	// out of scope, mandatory: the scheme is http, the policy's is https
	// out of scope, mandatory: the path is not below /v1
	// refused, mandatory: the segment "..%2fadmin" may be read as a dot segment
}

func ExamplePolicy_String() {
	policy, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{
		"GET /operations/{id}": routeauth.Optional,
		"POST /operations":     routeauth.Mandatory,
		"GET /status":          routeauth.Public,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(policy)
	// Output:
	// https://api.example.com/v1
	//   optional   GET /operations/{id}
	//   public     GET /status
	//   mandatory  POST /operations
}

// A 401 that stays a response, for an SDK with errors of its own.
func ExampleKeepUnauthorized() {
	policy, err := routeauth.NewPolicy("https://api.example.com/v1", nil)
	if err != nil {
		log.Fatal(err)
	}
	transport, err := routeauth.New(policy, routeauth.APIKeyAuth{APIKey: "not-valid"}, api, routeauth.KeepUnauthorized())
	if err != nil {
		log.Fatal(err)
	}
	resp, err := (&http.Client{Transport: transport}).Get("https://api.example.com/v1/operations")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	if rejected, ok := routeauth.UnauthorizedFrom(resp); ok {
		fmt.Println(rejected.Scheme, "rejected:", rejected.Detail)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(body))
	// Output:
	// 401 Unauthorized
	// api-key rejected: the key is not known
	// {"detail": "the key is not known"}
}

// A typo in the base URL becomes a sentence.
func ExampleRefuseOutOfScope() {
	policy, err := routeauth.NewPolicy("https://api.exmaple.com/v1", nil)
	if err != nil {
		log.Fatal(err)
	}
	transport, err := routeauth.New(policy, routeauth.APIKeyAuth{APIKey: "abc"}, api, routeauth.RefuseOutOfScope())
	if err != nil {
		log.Fatal(err)
	}
	_, err = (&http.Client{Transport: transport}).Get("https://api.example.com/v1/operations")
	var refused *routeauth.CredentialError
	if errors.As(err, &refused) {
		fmt.Println(refused)
	}
	// Output:
	// routeauth: GET https://api.example.com/v1/operations: not sent: the host is api.example.com, the policy's is api.exmaple.com
}

func ExampleLogTrace() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, attr slog.Attr) slog.Attr {
			if attr.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return attr
		},
	}))
	policy, err := routeauth.NewPolicy("https://api.example.com/v1", nil)
	if err != nil {
		log.Fatal(err)
	}
	transport, err := routeauth.New(policy, routeauth.APIKeyAuth{APIKey: "abc"}, api,
		routeauth.WithTrace(routeauth.LogTrace(logger)))
	if err != nil {
		log.Fatal(err)
	}
	resp, err := (&http.Client{Transport: transport}).Get("https://www.example.com/v1/operations?user=17")
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	// Output:
	// level=DEBUG msg="request decided" method=GET url=https://www.example.com/v1/operations verdict="out of scope" requirement=mandatory pattern="" reason="the host is www.example.com, the policy's is api.example.com" scheme="" redirected=false
}

// Counters of one's own, for each request of a transport or for one alone.
func ExampleTrace() {
	trace := &routeauth.Trace{
		Decided: func(_ context.Context, d routeauth.Decision) {
			fmt.Printf("%s %s: %s, sends %q\n", d.Method, d.URL, d.Reason, d.Scheme)
		},
		Unauthorized: func(_ context.Context, e *routeauth.UnauthorizedError, sentAgain bool) {
			fmt.Println("rejected:", e.Detail, "sent again:", sentAgain)
		},
	}
	policy, err := routeauth.NewPolicy("https://api.example.com/v1", nil)
	if err != nil {
		log.Fatal(err)
	}
	transport, err := routeauth.New(policy, routeauth.APIKeyAuth{APIKey: "not-valid"}, api)
	if err != nil {
		log.Fatal(err)
	}
	ctx := routeauth.ContextWithTrace(context.Background(), trace)
	req, err := http.NewRequestWithContext(ctx, "GET", "https://api.example.com/v1/operations", nil)
	if err != nil {
		log.Fatal(err)
	}
	_, err = (&http.Client{Transport: transport}).Do(req)
	fmt.Println(errors.Is(err, routeauth.ErrUnauthorized))
	// Output:
	// GET https://api.example.com/v1/operations: no route matches, so it is mandatory, sends "api-key"
	// rejected: the key is not known sent again: false
	// true
}
