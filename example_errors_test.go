package routeauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"

	"example.com/routeauth"
)

// A rejected credential is told apart from every other failure, with what the
// server said about it. The credential itself is not in it, even where the
// server repeats it.
func ExampleUnauthorizedError() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("X-Cloud-Trace-Context", "105445aa7843bc8b")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"detail": "The key %s was revoked."}`, req.Header.Get("x-api-key"))
	}))
	defer api.Close()
	transport, err := routeauth.NewAPIKeyTransport("sk-live-4f9c1e", nil)
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: transport}

	_, err = client.Get(api.URL)
	var unauthorized *routeauth.UnauthorizedError
	if errors.As(err, &unauthorized) {
		fmt.Println("scheme: ", unauthorized.Scheme)
		fmt.Println("detail: ", unauthorized.Detail)
		fmt.Println("request:", unauthorized.RequestID)
	}
	// Output:
	// scheme:  api-key
	// detail:  The key REDACTED was revoked.
	// request: 105445aa7843bc8b
}

// Where only the kind of failure counts, errors.Is is enough.
func ExampleErrUnauthorized() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer api.Close()
	transport, err := routeauth.NewAPIKeyTransport("sk-live-4f9c1e", nil)
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: transport}

	_, err = client.Get(api.URL)
	fmt.Println(errors.Is(err, routeauth.ErrUnauthorized))
	// Output:
	// true
}

// A request without a credential is not sent, and the error says whether trying
// again may help.
func ExampleCredentialError_Temporary() {
	signedOut := routeauth.Permanent(errors.New("nobody is signed in"))
	for _, failure := range []error{io.ErrUnexpectedEOF, signedOut} {
		source := routeauth.TokenSourceFunc(func(context.Context, routeauth.Params) (routeauth.Token, error) {
			return routeauth.Token{}, failure
		})
		transport, err := routeauth.NewJWTTransport(source, nil)
		if err != nil {
			log.Fatal(err)
		}
		client := &http.Client{Transport: transport}

		_, err = client.Get("https://api.example.com/v1/operations")
		var credential *routeauth.CredentialError
		if errors.As(err, &credential) {
			fmt.Println(credential)
			fmt.Println("temporary:", credential.Temporary())
		}
	}
	// Output:
	// routeauth: GET https://api.example.com/v1/operations: not sent, no jwt credential: unexpected EOF
	// temporary: true
	// routeauth: GET https://api.example.com/v1/operations: not sent, no jwt credential: nobody is signed in
	// temporary: false
}

// A configuration can be printed, marshalled and logged.
func ExampleSecret() {
	type Config struct {
		User string
		Key  routeauth.Secret
	}
	config := Config{"ada", "sk-live-4f9c1e"}

	fmt.Printf("%+v\n", config)
	data, err := json.Marshal(config)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(data))
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, attr slog.Attr) slog.Attr {
			if attr.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return attr
		},
	}))
	logger.Info("starting", "key", config.Key)

	fmt.Println(len(string(config.Key)), "bytes are there for whoever asks for them")
	// Output:
	// {User:ada Key:REDACTED}
	// {"User":"ada","Key":"REDACTED"}
	// level=INFO msg=starting key=REDACTED
	// 14 bytes are there for whoever asks for them
}
