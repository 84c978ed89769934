package issuer_test

import (
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/issuer"
)

// tooOften is an error of authorize that makes a 429.
type tooOften struct{ wait time.Duration }

func (e tooOften) Error() string             { return "this user asks too often" }
func (e tooOften) StatusCode() int           { return http.StatusTooManyRequests }
func (e tooOften) RetryAfter() time.Duration { return e.wait }

// A refusal is a 403, which an app takes for final, unless the error of authorize
// says that it is a 401 or a 429.
func ExampleNewHandler_retryAfter() {
	source, err := issuer.New("jwt-key", "a secret that the API's owner made")
	if err != nil {
		log.Fatal(err)
	}
	authorize := func(*http.Request, routeauth.Params) error {
		return tooOften{1500 * time.Millisecond}
	}
	handler, err := issuer.NewHandler(source, authorize, issuer.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		log.Fatal(err)
	}

	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/jwt", nil))
	fmt.Println(w.Code, w.Body)
	fmt.Println("Retry-After:", w.Header().Get("Retry-After"))
	// Output:
	// 429 {"detail":"this caller asks for tokens too often"}
	// Retry-After: 2
}
