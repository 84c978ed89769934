package routeauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"example.com/routeauth"
	"github.com/golang-jwt/jwt/v5"
)

// signUserToken signs a token for a user. A real app leaves that to its backend.
func signUserToken(_ context.Context, params routeauth.Params) (routeauth.Token, error) {
	now := time.Now()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"user": params["user"],
		"iat":  now.Unix(),
		"exp":  now.Add(time.Minute).Unix(),
	}).SignedString([]byte("a secret that the API knows too"))
	return routeauth.Token{Value: routeauth.Secret(token)}, err
}

// A cache asks its source once for as long as the token lives. What decides
// which token is returned must be in the params.
func ExampleNewTokenCache() {
	asked := 0
	source := routeauth.TokenSourceFunc(func(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
		asked++
		return signUserToken(ctx, params)
	})
	cache, err := routeauth.NewTokenCache(source,
		routeauth.WithRefreshBefore(15*time.Second),
		routeauth.WithFetchTimeout(5*time.Second),
		routeauth.WithMaxTokens(100),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, user := range []string{"ann", "ann", "bob", "ann"} {
		if _, err := cache.Token(context.Background(), routeauth.Params{"user": user}); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println("calls:", 4, "fetches:", asked)

	// Output:
	// calls: 4 fetches: 2
}

// The backend decides who may have a token, and its refusal is final.
func ExampleNewRemoteTokenSource() {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var params routeauth.Params
		if err := json.NewDecoder(req.Body).Decode(&params); err != nil || params["user"] != "ann" {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"detail": "only for ann"}`)
			return
		}
		_, _ = io.WriteString(w, `{"type": "jwt", "token": "token-for-ann"}`)
	}))
	defer backend.Close()

	source, err := routeauth.NewRemoteTokenSource(backend.URL+"/jwt", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := source.Token(context.Background(), routeauth.Params{"user": "ann"})
	fmt.Println(string(token.Value), err)
	_, err = source.Token(context.Background(), routeauth.Params{"user": "bob"})
	fmt.Println(strings.ReplaceAll(err.Error(), backend.URL, "https://backend.example.com"))

	// Output:
	// token-for-ann <nil>
	// token endpoint https://backend.example.com/jwt: 403 Forbidden: only for ann
}

// A function is a source, for a token that comes from anywhere else.
func ExampleTokenSourceFunc() {
	var source routeauth.TokenSource = routeauth.TokenSourceFunc(
		func(ctx context.Context, params routeauth.Params) (routeauth.Token, error) {
			return routeauth.Token{Value: routeauth.Secret("token-for-" + params["user"])}, ctx.Err()
		})
	token, err := source.Token(context.Background(), routeauth.Params{"user": "ann"})
	fmt.Println(string(token.Value), err)

	// Output:
	// token-for-ann <nil>
}

// A token from the command line or the environment. What is no token is refused
// at once, and neither the error nor the source shows it.
func ExampleNewStaticTokenSource() {
	source, err := routeauth.NewStaticTokenSource("abc.def.ghi")
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := source.Token(context.Background(), nil)
	fmt.Println(string(token.Value), err)
	_, err = routeauth.NewStaticTokenSource("abc.def.ghi\n")
	fmt.Println(err)

	// Output:
	// abc.def.ghi <nil>
	// routeauth: token: byte 0x0a at offset 11 is not printable ASCII without spaces: it ends in a line break, as the text of a file does
}

// Alone, a JWTTransport sends a token to whatever host the request names: use
// New where there is more than one.
func ExampleNewJWTTransport() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		fmt.Println(req.Method, req.URL.Path, "with", req.Header.Get("Authorization"))
	}))
	defer api.Close()

	source := routeauth.TokenSourceFunc(func(_ context.Context, params routeauth.Params) (routeauth.Token, error) {
		token := "token-for-" + params["sku"] + "-of-" + params["user"]
		return routeauth.Token{Value: routeauth.Secret(token)}, nil
	})
	transport, err := routeauth.NewJWTTransport(source, nil, routeauth.WithParams(routeauth.BodyParams("sku")))
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: transport}
	ctx := routeauth.ContextWithParams(context.Background(), routeauth.Params{"user": "ann"})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, api.URL+"/generations", strings.NewReader(`{"sku": "shirt"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)

	// Output:
	// POST /generations with Bearer token-for-shirt-of-ann
	// 200 OK
}
