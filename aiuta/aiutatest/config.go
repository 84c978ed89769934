package aiutatest

import "example.com/routeauth"

// What a server accepts whose [Config] does not say otherwise. The constants
// are untyped, so that they are strings and [routeauth.Secret] values alike.
// They are no secrets: nothing but such a server accepts them.
const (
	APIKey         = "aiutatest-key-5Q0eX7LrBz"
	SubscriptionID = "5f0c8d1e9a7b3c2d4e6f8091"          // 24 hexadecimal digits
	JWTIssuer      = "aiutatest-issuer"                  // the "JWT key" of a subscription
	JWTSecret      = "aiutatest-secret-8Jd2kVwq6Tn4RyZs" // 32 bytes and more: RFC 7518, section 3.2
)

// ModelImageID is the ID of an image that every server has, that of a predefined
// try-on model. A generation takes it as its uploaded_image_id, so that a test
// need not upload one.
const ModelImageID = "model_image-1"

const defaultStatusCalls = 3

// Config says what a [Server] accepts. The zero value works. The slices are
// copied by [NewServer].
type Config struct {
	// APIKeys are accepted in x-api-key. The default is APIKey alone. An empty
	// one is never accepted.
	APIKeys []routeauth.Secret

	// SubscriptionIDs are accepted in x-user-id on optional endpoints. The
	// default is SubscriptionID alone. An empty one is never accepted.
	SubscriptionIDs []string

	// JWTIssuer is the iss of accepted tokens. The default is JWTIssuer.
	JWTIssuer string

	// JWTSecret is the key with which accepted tokens are signed (HS256). The
	// default is JWTSecret.
	JWTSecret routeauth.Secret

	// StatusCalls is the number of the status call that finds an operation in
	// SUCCESS: the first finds CREATED, those between IN_PROGRESS, and 1 stands
	// for an operation that is done at once. The default is 3, which shows all
	// of them. Less than 1 is the default.
	StatusCalls int

	// InProcess makes a server without a listener, which only its Transport and its
	// Client reach. It starts no goroutine, so it lives in a bubble of
	// testing/synctest. TLS then only makes its URL an https one.
	InProcess bool

	// TLS makes an https server, whose certificate the server's Client trusts.
	TLS bool
}

// withDefaults returns a copy of c in which nothing is left out.
func (c Config) withDefaults() Config {
	c.APIKeys = orDefault(c.APIKeys, APIKey)
	c.SubscriptionIDs = orDefault(c.SubscriptionIDs, SubscriptionID)
	if c.JWTIssuer == "" {
		c.JWTIssuer = JWTIssuer
	}
	if c.JWTSecret == "" {
		c.JWTSecret = JWTSecret
	}
	if c.StatusCalls < 1 {
		c.StatusCalls = defaultStatusCalls
	}
	return c
}

// orDefault returns a copy of values, or the default if there are none.
func orDefault[T any](values []T, value T) []T {
	if len(values) == 0 {
		return []T{value}
	}
	return append([]T(nil), values...)
}
