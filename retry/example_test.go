package retry_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/retry"
	"github.com/hashicorp/go-retryablehttp"
)

// A GET is sent again after a 503, and a POST is not: it may have been acted on.
func ExampleNewTransport() {
	answers := map[string]int{"GET": 503, "POST": 503}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		fmt.Println(req.Method, "with", req.Header.Get("x-api-key"))
		w.WriteHeader(answers[req.Method])
		answers[req.Method] = 200
	}))
	defer api.Close()

	policy, err := routeauth.NewPolicy(api.URL+"/v1", nil)
	if err != nil {
		log.Fatal(err)
	}
	auth, err := routeauth.New(policy, routeauth.APIKeyAuth{APIKey: "sk-17"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	settings := retryablehttp.NewClient()
	settings.RetryWaitMin = time.Millisecond
	transport, err := retry.NewTransport(auth, retry.WithClient(settings))
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: transport}

	for _, method := range []string{"GET", "POST"} {
		req, err := http.NewRequest(method, api.URL+"/v1/operations", strings.NewReader("{}"))
		if err != nil {
			log.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			log.Fatal(err)
		}
		resp.Body.Close()
		fmt.Println(resp.Status)
	}
	// Output:
	// GET with sk-17
	// GET with sk-17
	// 200 OK
	// POST with sk-17
	// 503 Service Unavailable
}

// A rejected key is not tried again.
func ExampleTransport() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		fmt.Println("asked")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer api.Close()

	auth, err := routeauth.NewAPIKeyTransport("revoked", nil)
	if err != nil {
		log.Fatal(err)
	}
	transport, err := retry.NewTransport(auth)
	if err != nil {
		log.Fatal(err)
	}
	_, err = (&http.Client{Transport: transport}).Get(api.URL)
	fmt.Println(errors.Is(err, routeauth.ErrUnauthorized))
	// Output:
	// asked
	// true
}
