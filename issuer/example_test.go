package issuer_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/issuer"
	"github.com/golang-jwt/jwt/v5"
)

// A token is bound to the params that it was issued for.
func ExampleNew() {
	source, err := issuer.New("jwt-key", "a secret that the API's owner made", issuer.WithTTL(30*time.Second))
	if err != nil {
		log.Fatal(err)
	}
	token, err := source.Token(context.Background(), routeauth.Params{"uploaded_image_id": "17"})
	if err != nil {
		log.Fatal(err)
	}

	// What the API does with it.
	claims := jwt.MapClaims{}
	_, err = jwt.ParseWithClaims(string(token.Value), claims, func(*jwt.Token) (any, error) {
		return []byte("a secret that the API's owner made"), nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(claims["iss"], claims["uploaded_image_id"])
	fmt.Println(claims["exp"].(float64)-claims["iat"].(float64), "seconds")
	// Output:
	// jwt-key 17
	// 30 seconds
}

// A verifier whose clock is two seconds behind takes a token of this instant for
// one of the future.
func ExampleWithBackdate() {
	for _, backdate := range []time.Duration{0, 5 * time.Second} {
		source, err := issuer.New("jwt-key", "a secret that the API's owner made", issuer.WithBackdate(backdate))
		if err != nil {
			log.Fatal(err)
		}
		token, err := source.Token(context.Background(), routeauth.Params{"uploaded_image_id": "17"})
		if err != nil {
			log.Fatal(err)
		}

		// What the API does with it.
		behind := func() time.Time { return time.Now().Add(-2 * time.Second) }
		_, err = jwt.Parse(string(token.Value), func(*jwt.Token) (any, error) {
			return []byte("a secret that the API's owner made"), nil
		}, jwt.WithIssuedAt(), jwt.WithTimeFunc(behind))
		fmt.Println(backdate, err)
	}
	// Output:
	// 0s token has invalid claims: token used before issued
	// 5s <nil>
}

// A backend that gives tokens to whoever is logged in.
func ExampleNewHandler() {
	source, err := issuer.New("jwt-key", "a secret that the API's owner made")
	if err != nil {
		log.Fatal(err)
	}
	authorize := func(req *http.Request, params routeauth.Params) error {
		if cookie, err := req.Cookie("session"); err != nil || cookie.Value != "session-of-alice" {
			return errors.New("nobody is logged in")
		}
		if params["uploaded_image_id"] == "" {
			return errors.New("a token must be bound to an image")
		}
		return nil
	}
	handler, err := issuer.NewHandler(source, authorize)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/jwt", handler)
	server := httptest.NewServer(mux) // or http.ListenAndServe, behind TLS
	defer server.Close()

	for _, session := range []string{"session-of-alice", "session-of-mallory"} {
		req, err := http.NewRequest(http.MethodGet, server.URL+"/jwt?uploaded_image_id=17", nil)
		if err != nil {
			log.Fatal(err)
		}
		req.AddCookie(&http.Cookie{Name: "session", Value: session})
		resp, err := server.Client().Do(req)
		if err != nil {
			log.Fatal(err)
		}
		resp.Body.Close()
		fmt.Println(session+":", resp.Status)
	}
	// Output:
	// session-of-alice: 200 OK
	// session-of-mallory: 403 Forbidden
}
