package routeauth_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"example.com/routeauth"
)

// Example sends the four credentials of the table.
func Example() {
	policy, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{
		"POST /operations":     routeauth.Mandatory,
		"GET /operations/{id}": routeauth.Optional,
	})
	if err != nil {
		log.Fatal(err)
	}
	source, err := routeauth.NewStaticTokenSource("header.payload.signature")
	if err != nil {
		log.Fatal(err)
	}
	for _, auth := range []routeauth.Auth{
		routeauth.JWTAuth{SubscriptionID: "66ec1726e728c1405e5ebca2", Source: source},
		routeauth.APIKeyAuth{APIKey: "abc"},
	} {
		transport, err := routeauth.New(policy, auth, api)
		if err != nil {
			log.Fatal(err)
		}
		client := &http.Client{Transport: transport}
		for _, call := range []struct{ method, path string }{
			{"POST", "/operations"},
			{"GET", "/operations/17"},
		} {
			req, err := http.NewRequest(call.method, "https://api.example.com/v1"+call.path, nil)
			if err != nil {
				log.Fatal(err)
			}
			resp, err := client.Do(req)
			if err != nil {
				log.Fatal(err)
			}
			field, _ := io.ReadAll(resp.Body) // this API answers with the field it saw
			resp.Body.Close()
			requirement, _ := policy.Requirement(req)
			fmt.Printf("%T, %s: %s\n", auth, requirement, field)
		}
	}
	// Output:
	// routeauth.JWTAuth, mandatory: Authorization
	// routeauth.JWTAuth, optional: X-User-Id
	// routeauth.APIKeyAuth, mandatory: X-Api-Key
	// routeauth.APIKeyAuth, optional: X-Api-Key
}

func ExampleNew() {
	policy, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{
		"GET /operations/{id}": routeauth.Optional,
	})
	if err != nil {
		log.Fatal(err)
	}
	transport, err := routeauth.New(policy, routeauth.APIKeyAuth{APIKey: "abc"}, api)
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: transport}

	resp, err := client.Get("https://api.example.com/v1/operations/17")
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	fmt.Println(resp.Status)

	// The same client sends another host no credential.
	resp, err = client.Get("https://www.example.com/")
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	fmt.Println(resp.Status)
	// Output:
	// 200 OK
	// 401 Unauthorized
}

// A policy names everything that is wrong with it at once.
func ExampleNewPolicy() {
	_, err := routeauth.NewPolicy("http://api.example.com/v1", routeauth.Routes{
		"GET /operations/{id}": routeauth.Optional,
		"GET /operations/{nr}": routeauth.Public,
		"GET /files/:id":       routeauth.Optional,
	})
	fmt.Println(err)
	// Output:
	// routeauth: base URL is plaintext HTTP: anyone on the network path could read the credential: use https, or allow it with AllowPlaintext
	// routeauth: route "GET /files/:id": the pattern is malformed: write {id} for :id, or %3A for the colon itself
	// routeauth: route "GET /operations/{id}" (optional) conflicts with route "GET /operations/{nr}" (public): both match the same requests; remove one, or give both the same requirement
}

func ExamplePolicy_Requirement() {
	policy, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{
		"GET /files/": routeauth.Optional,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, url := range []string{
		"https://api.example.com/v1/files/a.png",
		"https://api.example.com/v1/operations",
		"https://api.example.com/v1/files/../../v2/files/a.png",
		"https://www.example.com/v1/files/a.png",
	} {
		req, err := http.NewRequest("GET", url, nil)
		if err != nil {
			log.Fatal(err)
		}
		requirement, inScope := policy.Requirement(req)
		fmt.Println(requirement, inScope)
	}
	// Output:
	// optional true
	// mandatory true
	// mandatory false
	// mandatory false
}

func ExampleAllowPlaintext() {
	_, err := routeauth.NewPolicy("http://gateway.internal/api", nil, routeauth.AllowPlaintext())
	fmt.Println(err)
	// Output: <nil>
}

// Alone, a wrapper has no scope: it sends the key to the host that the request
// names.
func ExampleNewAPIKeyTransport() {
	transport, err := routeauth.NewAPIKeyTransport("abc", api)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := (&http.Client{Transport: transport}).Get("https://api.example.com/v1/operations")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}

func ExampleNewSubscriptionTransport() {
	transport, err := routeauth.NewSubscriptionTransport("66ec1726e728c1405e5ebca2", api)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := (&http.Client{Transport: transport}).Get("https://api.example.com/v1/operations/17")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}

// tokenAuth is an Auth of one's own, for an API that takes "Token abc" where
// JWTAuth would send "Bearer abc".
type tokenAuth struct {
	token  routeauth.Secret
	userID string
}

func (a tokenAuth) RoundTrippers(base http.RoundTripper) (mandatory, optional http.RoundTripper, err error) {
	mandatory, tokenErr := routeauth.NewHeaderTransport("token", routeauth.HeaderAuthorization, "Token "+a.token, base)
	optional, userErr := routeauth.NewSubscriptionTransport(a.userID, base)
	return mandatory, optional, errors.Join(tokenErr, userErr)
}

// An API with credentials of another form gets an Auth of its own.
func ExampleAuth() {
	policy, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{
		"POST /operations":     routeauth.Mandatory,
		"GET /operations/{id}": routeauth.Optional,
	})
	if err != nil {
		log.Fatal(err)
	}
	transport, err := routeauth.New(policy, tokenAuth{token: "abc", userID: "17"}, api)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := (&http.Client{Transport: transport}).Get("https://api.example.com/v1/operations/17")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}

// An API whose header has another name, inside of one that takes a key: each
// wrapper is an ordinary base of the next.
func ExampleNewHeaderTransport() {
	gateway, err := routeauth.NewHeaderTransport("gateway", "X-Gateway", "Token abc", api)
	if err != nil {
		log.Fatal(err)
	}
	both, err := routeauth.NewAPIKeyTransport("def", gateway)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := (&http.Client{Transport: both}).Get("https://api.example.com/v1/operations")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}

// api stands for the network in examples: an API that takes one key and one
// subscription ID.
var api http.RoundTripper = roundTripFunc(func(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	for _, name := range []string{"X-Api-Key", "X-User-Id", "Authorization"} {
		if value := req.Header.Get(name); value != "" && !strings.HasSuffix(value, "not-valid") {
			return answer(req, http.StatusOK, name), nil
		}
	}
	return answer(req, http.StatusUnauthorized, `{"detail": "the key is not known"}`), nil
})
