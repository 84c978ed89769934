package benchmarks

import (
	"context"
	"net/http"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/httptransport"
	"github.com/prometheus/common/config"
	"golang.org/x/oauth2"
	"k8s.io/client-go/transport"
)

// Peers returns the other libraries' transports, each set up as its
// documentation says, with a token that it may reuse. Those that know an expiry
// are told it.
func Peers(url string) []Subject {
	return []Subject{OAuth2(url), clientGo(url), prometheus(url), googleAuth(url)}
}

// OAuth2 returns golang.org/x/oauth2's Transport with ReuseTokenSource.
func OAuth2(url string) Subject {
	return peer("oauth2", url, func(base http.RoundTripper) (http.RoundTripper, error) {
		token := &oauth2.Token{AccessToken: Token(), Expiry: time.Now().Add(tokenLife)}
		return &oauth2.Transport{
			Source: oauth2.ReuseTokenSource(token, oauth2.StaticTokenSource(token)),
			Base:   base,
		}, nil
	})
}

func clientGo(url string) Subject {
	return peer("client-go", url, func(base http.RoundTripper) (http.RoundTripper, error) {
		return transport.NewBearerAuthRoundTripper(Token(), base), nil
	})
}

func prometheus(url string) Subject {
	return peer("prometheus-common", url, func(base http.RoundTripper) (http.RoundTripper, error) {
		return config.NewAuthorizationCredentialsRoundTripper("Bearer", config.NewInlineSecret(Token()), base), nil
	})
}

func googleAuth(url string) Subject {
	return peer("cloud-auth", url, func(base http.RoundTripper) (http.RoundTripper, error) {
		client := &http.Client{Transport: base}
		err := httptransport.AddAuthorizationMiddleware(client, auth.NewCredentials(&auth.CredentialsOptions{
			TokenProvider: auth.NewCachedTokenProvider(googleToken{}, nil),
		}))
		return client.Transport, err
	})
}

// googleToken is a provider of the token.
type googleToken struct{}

func (googleToken) Token(context.Context) (*auth.Token, error) {
	return &auth.Token{Value: Token(), Expiry: time.Now().Add(tokenLife)}, nil
}

// peer returns a subject that sends the token as a bearer token.
func peer(name, url string, transport func(base http.RoundTripper) (http.RoundTripper, error)) Subject {
	return Subject{
		Name: name, URL: url, Transport: transport,
		Field: "Authorization", Value: "Bearer " + Token(),
	}
}
