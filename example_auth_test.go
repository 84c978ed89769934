package routeauth_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"

	"example.com/routeauth"
)

// wire prints the credentials that it is sent, in the order of their fields.
var wire = roundTripFunc(func(req *http.Request) (*http.Response, error) {
	fmt.Print(req.Method, " ", req.URL.Host, req.URL.Path)
	for _, name := range []string{"Authorization", "X-Api-Key", "X-Auth-Token", "X-Gateway-Key"} {
		if value := req.Header.Get(name); value != "" {
			fmt.Printf(" %s: %s", name, value)
		}
	}
	fmt.Println()
	return answer(req, http.StatusOK, ""), nil
})

// send makes a client of a policy and an auth, and sends a request for each URL.
func send(baseURL string, routes routeauth.Routes, auth routeauth.Auth, base http.RoundTripper, method string, urls ...string) {
	policy, err := routeauth.NewPolicy(baseURL, routes)
	if err != nil {
		log.Fatal(err)
	}
	transport, err := routeauth.New(policy, auth, base)
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: transport}
	for _, url := range urls {
		req, err := http.NewRequest(method, url, nil)
		if err != nil {
			log.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			log.Fatal(err)
		}
		resp.Body.Close()
	}
}

// Like GitHub's: public reads, and a token for everything else.
func ExampleBearerAuth() {
	source, err := routeauth.NewStaticTokenSource("ghp_17")
	if err != nil {
		log.Fatal(err)
	}
	send("https://api.example.com", routeauth.Routes{
		"GET /repos/{owner}/{repo}":                          routeauth.Public,
		"GET /repos/{owner}/{repo}/compare/{base}...{head}":  routeauth.Public,
		"GET /repos/{owner}/{repo}/contents/{path...}":       routeauth.Public,
		"GET /repos/{owner}/{repo}/actions/secrets/{secret}": routeauth.Mandatory,
	}, routeauth.BearerAuth{Source: source}, wire, "GET",
		"https://api.example.com/repos/golang/go",
		"https://api.example.com/repos/golang/go/compare/v1...v2",
		"https://api.example.com/user",
	)
	// Output:
	// GET api.example.com/repos/golang/go
	// GET api.example.com/repos/golang/go/compare/v1...v2
	// GET api.example.com/user Authorization: Bearer ghp_17
}

// Like Stripe's: the key is the user name, and there is no password.
func ExampleBasicAuth() {
	auth := routeauth.BasicAuth{Username: "sk_test_17"}
	send("https://api.example.com/v1", nil, auth, wire, "GET", "https://api.example.com/v1/charges")
	fmt.Println(auth)
	// Output:
	// GET api.example.com/v1/charges Authorization: Basic c2tfdGVzdF8xNzo=
	// {REDACTED REDACTED}
}

func ExampleHeaderAuth() {
	auth := routeauth.HeaderAuth{Scheme: "auth-token", Name: "X-Auth-Token", Value: "secret"}
	send("https://api.example.com/v3", nil, auth, wire, "GET", "https://api.example.com/v3/servers")
	// Output:
	// GET api.example.com/v3/servers X-Auth-Token: secret
}

// A bearer token in a file, as a platform mounts it.
func ExampleHeaderAuth_file() {
	path := filepath.Join(os.TempDir(), "routeauth-example-token")
	if err := os.WriteFile(path, []byte("from-a-file\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	defer os.Remove(path)

	source, err := routeauth.NewFileSecretSource(path)
	if err != nil {
		log.Fatal(err)
	}
	auth := routeauth.HeaderAuth{
		Scheme: routeauth.SchemeBearer, Name: routeauth.HeaderAuthorization, Prefix: "Bearer ", Source: source,
	}
	send("https://api.example.com/v1", nil, auth, wire, "GET", "https://api.example.com/v1/pods")
	// Output:
	// GET api.example.com/v1/pods Authorization: Bearer from-a-file
}

// A key that is rotated while the program runs.
func ExampleNewFileSecretSource() {
	path := filepath.Join(os.TempDir(), "routeauth-example-key")
	if err := os.WriteFile(path, []byte("key-1"), 0o600); err != nil {
		log.Fatal(err)
	}
	defer os.Remove(path)

	source, err := routeauth.NewFileSecretSource(path)
	if err != nil {
		log.Fatal(err)
	}
	send("https://api.example.com/v1", nil, routeauth.APIKeyAuth{Source: source}, wire, "GET", "https://api.example.com/v1/a")
	// Output:
	// GET api.example.com/v1/a X-Api-Key: key-1
}

func ExampleSecretSourceFunc() {
	key := routeauth.Secret("key-1") // from a secret manager that keeps it
	source := routeauth.SecretSourceFunc(func(context.Context) (routeauth.Secret, error) { return key, nil })
	auth := routeauth.APIKeyAuth{Source: source}
	send("https://api.example.com/v1", nil, auth, wire, "GET", "https://api.example.com/v1/a")
	key = "key-2"
	send("https://api.example.com/v1", nil, auth, wire, "GET", "https://api.example.com/v1/a")
	// Output:
	// GET api.example.com/v1/a X-Api-Key: key-1
	// GET api.example.com/v1/a X-Api-Key: key-2
}

// Two kinds of credentials, each for its own kind of endpoints.
func ExampleSplitAuth() {
	source, err := routeauth.NewStaticTokenSource("token")
	if err != nil {
		log.Fatal(err)
	}
	send("https://api.example.com/v1", routeauth.Routes{"GET /catalog": routeauth.Optional}, routeauth.SplitAuth{
		Mandatory: routeauth.BearerAuth{Source: source},
		Optional:  routeauth.APIKeyAuth{APIKey: "publishable"},
	}, wire, "GET", "https://api.example.com/v1/catalog", "https://api.example.com/v1/orders")
	// Output:
	// GET api.example.com/v1/catalog X-Api-Key: publishable
	// GET api.example.com/v1/orders Authorization: Bearer token
}

// An API behind a gateway takes two fields at once: two transports over each
// other. Where both set the same field, the one nearer to the network wins.
func ExampleNew_twoCredentials() {
	policy, err := routeauth.NewPolicy("https://api.example.com/v1", nil)
	if err != nil {
		log.Fatal(err)
	}
	gateway, err := routeauth.New(policy,
		routeauth.HeaderAuth{Scheme: "gateway", Name: "X-Gateway-Key", Value: "outer"}, wire)
	if err != nil {
		log.Fatal(err)
	}
	send("https://api.example.com/v1", nil, routeauth.APIKeyAuth{APIKey: "inner"}, gateway, "GET", "https://api.example.com/v1/a")
	// Output:
	// GET api.example.com/v1/a X-Api-Key: inner X-Gateway-Key: outer
}

// One client for two APIs: each transport sends its key to its own host, and
// everything else on to the next.
func ExampleNew_twoHosts() {
	maps, err := routeauth.NewPolicy("https://maps.example.com", nil)
	if err != nil {
		log.Fatal(err)
	}
	mapsTransport, err := routeauth.New(maps, routeauth.APIKeyAuth{APIKey: "maps-key"}, wire)
	if err != nil {
		log.Fatal(err)
	}
	send("https://mail.example.com", nil, routeauth.APIKeyAuth{APIKey: "mail-key"}, mapsTransport, "GET",
		"https://maps.example.com/tiles", "https://mail.example.com/inbox", "https://www.example.com/")
	// Output:
	// GET maps.example.com/tiles X-Api-Key: maps-key
	// GET mail.example.com/inbox X-Api-Key: mail-key
	// GET www.example.com/
}

// Users share a cache and never a token.
func ExampleContextWithIdentity() {
	source := routeauth.TokenSourceFunc(func(ctx context.Context, _ routeauth.Params) (routeauth.Token, error) {
		user := routeauth.IdentityFromContext(ctx)
		fmt.Println("a token for", user)
		return signUserToken(ctx, routeauth.Params{"user": user})
	})
	cache, err := routeauth.NewTokenCache(source)
	if err != nil {
		log.Fatal(err)
	}
	for _, user := range []string{"ada", "bob", "ada"} {
		ctx := routeauth.ContextWithIdentity(context.Background(), user)
		if _, err := cache.Token(ctx, nil); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Printf("%+v\n", cache.Stats())
	// Output:
	// a token for ada
	// a token for bob
	// {Hits:1 Fetches:2 Failures:0 Evictions:0 Tokens:2 Fetching:0}
}
