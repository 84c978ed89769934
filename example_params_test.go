package routeauth_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"strings"

	"example.com/routeauth"
)

// BodyParams takes from a request's JSON body what its token is to be bound to.
func ExampleBodyParams() {
	params := routeauth.BodyParams("uploaded_image_id", "sku_ids", "strength", "seed")
	req, err := http.NewRequest("POST", "https://api.example.com/v1/operations", strings.NewReader(
		`{"uploaded_image_id": "17", "sku_ids": ["a", "b"], "strength": 1.0, "seed": null, "note": "x"}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(params(req))
	// Output:
	// map[sku_ids:a,b strength:1.0 uploaded_image_id:17] <nil>
}

// A request whose params are not in its body, or not only there, has them in its
// context. They overlay those of the body.
func ExampleContextWithParams() {
	source := routeauth.TokenSourceFunc(func(_ context.Context, params routeauth.Params) (routeauth.Token, error) {
		fmt.Println("a token for", params)
		return routeauth.Token{Value: "header.payload.signature"}, nil
	})
	transport, err := routeauth.NewJWTTransport(source, http.NewFileTransport(http.Dir(".")),
		routeauth.WithParams(routeauth.BodyParams("sku_id")))
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: transport}

	ctx := routeauth.ContextWithParams(context.Background(), routeauth.Params{"user": "ada"})
	req, err := http.NewRequestWithContext(ctx, "POST", "https://api.example.com/v1/operations",
		strings.NewReader(`{"sku_id": "a"}`))
	if err != nil {
		log.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	// Output:
	// a token for map[sku_id:a user:ada]
}
