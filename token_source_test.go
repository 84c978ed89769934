package routeauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// noTokens are texts that no token is, with what an error says of them.
var noTokens = map[string]string{
	"":                                    "is empty",
	"REDACTED":                            "is the placeholder REDACTED",
	" hunter2":                            "byte 0x20 at offset 0",
	"hunter2 ":                            "byte 0x20 at offset 7",
	"hunter2\n":                           "byte 0x0a at offset 7",
	"hun\r\nX-Evil: ter2":                 "byte 0x0d at offset 3",
	"hunter\x002":                         "byte 0x00 at offset 6",
	"hunter2\t":                           "byte 0x09 at offset 7",
	"hunter2\x7f":                         "byte 0x7f at offset 7",
	"hunter\xc3\xa92":                     "byte 0xc3 at offset 6",
	"hunter\xff2":                         "byte 0xff at offset 6",
	"Bearer hunter2":                      "byte 0x20 at offset 6",
	strings.Repeat("x", 300) + " hunter2": "byte 0x20 at offset 300",
}

// Rule 17: what is no token is refused by its offending byte, which the error
// names, and never by its value, which it does not.
func TestAStaticTokenSourceRefusesWhatIsNoToken(t *testing.T) {
	for token, want := range noTokens {
		source, err := routeauth.NewStaticTokenSource(routeauth.Secret(token))
		assert.ErrorContains(t, err, want, "%q", token)
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), "hunter2")
		assert.Nil(t, source)
	}
}

// Rule 17: printable ASCII without spaces, and nothing else, is a token.
func TestEveryByteOfATokenIsPrintableASCII(t *testing.T) {
	for c := range 256 {
		token := "abc" + string([]byte{byte(c)}) + "def"
		source, err := routeauth.NewStaticTokenSource(routeauth.Secret(token))
		if '!' <= c && c <= '~' {
			require.NoError(t, err, "%#02x", c)
			assert.Equal(t, token, tokenFor(t, source, nil))
			continue
		}
		assert.ErrorContains(t, err, fmt.Sprintf("byte %#02x at offset 3", c))
	}
}

func TestAStaticTokenSourceHandsOutItsTokenForAnyParams(t *testing.T) {
	source, err := routeauth.NewStaticTokenSource("token")
	require.NoError(t, err)
	assert.Equal(t, "token", tokenFor(t, source, nil))
	assert.Equal(t, "token", tokenFor(t, source, user(1)))
}

func TestAStaticTokenSourceWithoutItsConstructorIsAnError(t *testing.T) {
	for _, source := range []*routeauth.StaticTokenSource{nil, {}} {
		_, err := source.Token(t.Context(), nil)
		assert.ErrorContains(t, err, "was not made by NewStaticTokenSource")
	}
}

func TestATokenSourceFuncPassesEverythingOn(t *testing.T) {
	broken := errors.New("broken")
	source := tokenFunc(func(ctx context.Context, params routeauth.Params) (string, error) {
		assert.Equal(t, "value", ctx.Value(contextKey{}))
		return params["user"], broken
	})
	token, err := text(source.Token(context.WithValue(t.Context(), contextKey{}, "value"), user(7)))
	assert.Equal(t, "7", token)
	assert.Equal(t, broken, err)
}

// tokenHolders returns a value of every type that has to do with tokens. Those
// that hold one hold secretToken(t).
func tokenHolders(t testing.TB) map[string]any {
	static, err := routeauth.NewStaticTokenSource(routeauth.Secret(secretToken(t)))
	require.NoError(t, err)
	cache := newCache(t, static)
	tokenFor(t, cache, nil)
	tokenFor(t, cache, user(1))
	transport := newJWTTransport(t, cache, &base{})
	_, err = transport.RoundTrip(newRequest(t, http.MethodPost, "https://api.example.com/", "body"))
	require.NoError(t, err)
	remote, err := routeauth.NewRemoteTokenSource("https://user:hunter2@backend.example.com/jwt?key=hunter2", nil)
	require.NoError(t, err)
	return map[string]any{
		"static source":             static,
		"TokenCache":                cache,
		"TokenCache, copied":        *cache,
		"JWTTransport":              transport,
		"JWTTransport, copied":      *transport,
		"RemoteTokenSource":         remote,
		"RemoteTokenSource, copied": *remote,
		"JWTAuth":                   routeauth.JWTAuth{SubscriptionID: "sub", Source: cache},
		"cache over remote":         newCache(t, remote),
	}
}

// secretToken returns a JWT that a cache keeps.
func secretToken(t testing.TB) string {
	return mint(t, "hunter2", time.Unix(1_000_000_000, 0), time.Unix(4_000_000_000, 0))
}

// Rule 27: no way of printing a value shows a token or an endpoint's password,
// also where the value is a field of somebody's struct.
func TestNothingThatHoldsATokenShowsIt(t *testing.T) {
	token := secretToken(t)
	secrets := []string{"hunter2", fmt.Sprintf("%x", "hunter2"), fmt.Sprintf("%X", "hunter2")}
	for _, part := range strings.Split(token, ".") {
		secrets = append(secrets, part, fmt.Sprintf("%x", part), fmt.Sprintf("%X", part), fmt.Sprint([]byte(part)))
	}
	for name, value := range tokenHolders(t) {
		t.Run(name, func(t *testing.T) {
			for where, value := range map[string]any{
				"itself":         value,
				"exported field": struct{ Field any }{value},
				"field":          struct{ field any }{value},
				"field, deeper":  &struct{ field *struct{ list []any } }{&struct{ list []any }{[]any{value}}},
				"element":        []any{value},
				"value of map":   map[string]any{"key": value},
			} {
				for how, text := range printed(t, value) {
					for _, secret := range secrets {
						assert.NotContains(t, text, secret, "%s, printed with %s", where, how)
					}
				}
			}
		})
	}
}

// printed returns value in all the ways that programs print values.
func printed(t *testing.T, value any) map[string]string {
	texts := make(map[string]string)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		texts[verb] = fmt.Sprintf(verb, value)
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		encoded = []byte(err.Error())
	}
	texts["JSON"] = string(encoded)
	var log strings.Builder
	for name, handler := range map[string]slog.Handler{
		"slog as text": slog.NewTextHandler(&log, nil),
		"slog as JSON": slog.NewJSONHandler(&log, nil),
	} {
		log.Reset()
		slog.New(handler).With("with", value).Info("message", "value", value, slog.Group("group", "value", value))
		require.NotEmpty(t, log.String())
		texts[name] = log.String()
	}
	return texts
}

// Rules 8 and 27: printing a cache reads nothing that its users write.
func TestACacheIsPrintedWhileItIsUsed(t *testing.T) {
	now := time.Now()
	source := &countingSource{next: func(_ context.Context, _ routeauth.Params, nth int) (string, error) {
		return mint(t, strconv.Itoa(nth), now, now.Add(time.Hour)), nil
	}}
	cache := newCache(t, source, routeauth.WithMaxTokens(2))
	transport := newJWTTransport(t, cache, &base{})
	var users sync.WaitGroup
	for g := range 2 {
		users.Go(func() {
			for i := range 30 {
				params := user((i + g) % 4)
				token, err := text(cache.Token(t.Context(), params))
				assert.NoError(t, err)
				cache.Discard(t.Context(), params, routeauth.Secret(token))
			}
		})
		users.Go(func() {
			for range 5 {
				printed(t, struct {
					cache     *routeauth.TokenCache
					value     routeauth.TokenCache
					transport *routeauth.JWTTransport
				}{cache, *cache, transport})
				printed(t, cache)
				printed(t, transport)
			}
		})
	}
	users.Wait()
}
