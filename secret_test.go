package routeauth_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	htmltemplate "html/template"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const planted = "planted-zq17-key"

// verbs are those that go vet lets pass for one type or another.
var verbs = []string{
	"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%c", "%o", "%b", "%e", "%U",
	"%+s", "%+q", "%#q", "%#x", "% x", "%+d", "%20v", "%-20s", "%.3s", "%.1q", "%010d", "%!", "%z",
}

// assertShowsNothing fails where text holds the planted secret, however it is
// written.
func assertShowsNothing(t testing.TB, text, how string, args ...any) {
	t.Helper()
	for _, form := range []string{
		planted,
		planted[:8],
		fmt.Sprintf("%x", planted),
		fmt.Sprintf("%X", planted),
		fmt.Sprintf("% x", planted),
		strings.Trim(fmt.Sprint([]byte(planted)), "[]"),
		fmt.Sprintf("%#v", []byte(planted))[len("[]byte{"):60],
		base64.StdEncoding.EncodeToString([]byte(planted))[:16],
	} {
		assert.NotContains(t, text, form, fmt.Sprintf(how, args...))
	}
}

// printings returns value, printed in each way that is to show no secret.
func printings(value any) map[string]string {
	texts := map[string]string{"Sprint": fmt.Sprint(value), "Sprintln": fmt.Sprintln("x", value), "EXTRA": fmt.Sprintf(verbs[0][:0], value)}
	for _, verb := range verbs {
		texts[verb] = fmt.Sprintf(verb, value)
	}
	texts["json"] = marshalled(json.Marshal(value))
	texts["xml"] = marshalled(xml.Marshal(value))
	for name, handler := range map[string]func(b *bytes.Buffer) slog.Handler{
		"slog text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"slog json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var out bytes.Buffer
		logger := slog.New(handler(&out))
		logger.Info("x", "value", value)
		logger.With("value", value).WithGroup("group").Info("x", slog.Group("inner", "value", value))
		texts[name] = out.String()
	}
	return texts
}

// marshalled returns what marshalling a value gave: a text or an error's.
func marshalled(data []byte, err error) string {
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// Rule 27.
func TestASecretIsPrintedAsREDACTED(t *testing.T) {
	secret := routeauth.Secret(planted)
	for how, text := range printings(secret) {
		assertShowsNothing(t, text, "%s", how)
		assert.Contains(t, text, "REDACTED", how)
	}
	assert.Equal(t, "REDACTED", secret.String())
	assert.Equal(t, "REDACTED", secret.GoString())
	assert.Equal(t, "REDACTED", fmt.Sprintf("%#v", secret))
	assert.Equal(t, "REDACTED", fmt.Sprintf("%-3d", secret))
	assert.Equal(t, "REDACTED", secret.LogValue().String())
	text, err := secret.MarshalText()
	assert.NoError(t, err)
	assert.Equal(t, "REDACTED", string(text))
	assert.Equal(t, planted, string(secret), "it is still there for who asks for it")
	assert.Equal(t, "REDACTED", routeauth.Secret("").String(), "nor is it shown that there is none")
}

// Rule 27, as a field of somebody's struct and in what else holds values.
func TestASecretInAnotherValueIsPrintedAsREDACTED(t *testing.T) {
	type Embedded struct{ Key routeauth.Secret }
	type config struct {
		name string
		mu   struct{ state int32 }
		next *int
		Embedded
		Key     routeauth.Secret `json:"key" xml:"key,attr"`
		Pointer *routeauth.Secret
		List    []routeauth.Secret
		Array   [1]routeauth.Secret
		Any     any
		after   int
		call    func()
	}
	secret := routeauth.Secret(planted)
	whole := config{
		name: "name", next: new(int), Embedded: Embedded{secret}, Key: secret, Pointer: &secret,
		List: []routeauth.Secret{secret}, Array: [1]routeauth.Secret{secret}, Any: secret, after: 1, call: func() {},
	}
	assert.Zero(t, whole.mu.state)
	for name, value := range map[string]any{
		"struct":            whole,
		"pointer to struct": &whole,
		"pointer":           &secret,
		"slice":             []routeauth.Secret{secret},
		"slice of any":      []any{1, secret, nil},
		"map's value":       map[string]routeauth.Secret{"key": secret},
		"map to any":        map[string]any{"key": secret},
		"anonymous":         struct{ Key any }{secret},
		"error":             fmt.Errorf("with %v and %q", secret, secret),
	} {
		for how, text := range printings(value) {
			assertShowsNothing(t, text, "%s, %s", name, how)
		}
	}
	keys := map[routeauth.Secret]int{secret: 1}
	for _, verb := range verbs {
		assertShowsNothing(t, fmt.Sprintf(verb, keys), "map's key, %s", verb)
	}
}

// Rule 27: what is printed in the place of the key reads as the struct that it
// is.
func TestAnAPIKeyAuthIsPrintedAsAStruct(t *testing.T) {
	auth := routeauth.APIKeyAuth{APIKey: planted}
	for verb, want := range map[string]string{
		"%v":  "{REDACTED <nil>}",
		"%s":  "{REDACTED <nil>}",
		"%q":  "{REDACTED <nil>}",
		"%+v": "{APIKey:REDACTED Source:<nil>}",
		"%+s": "{REDACTED <nil>}",
		"%#v": "routeauth.APIKeyAuth{APIKey:REDACTED, Source:<nil>}",
		"%#x": "{REDACTED <nil>}",
	} {
		assert.Equal(t, want, fmt.Sprintf(verb, auth), verb)
		assert.Equal(t, "["+want+"]", fmt.Sprintf("["+verb+"]", &auth), verb)
	}
}

// Rule 27.
func TestASecretIsREDACTEDInTemplates(t *testing.T) {
	const text = `<a href="{{.}}" title={{.}} onclick="f({{.}})">{{.}} {{printf "%s" .}} {{printf "%q" .}}</a><script>f({{.}})</script>`
	var out strings.Builder
	require.NoError(t, template.Must(template.New("").Parse(text)).Execute(&out, routeauth.Secret(planted)))
	require.NoError(t, htmltemplate.Must(htmltemplate.New("").Parse(text)).Execute(&out, routeauth.Secret(planted)))
	assertShowsNothing(t, out.String(), "template")
	assert.Contains(t, out.String(), "REDACTED")
}

// Rule 27: a crash prints the value that a program panicked with.
func TestAPanicShowsNoSecret(t *testing.T) {
	t.Parallel()
	switch os.Getenv("ROUTEAUTH_TEST_PANIC") {
	case "Secret":
		panic(routeauth.Secret(planted))
	case "APIKeyAuth":
		panic(routeauth.APIKeyAuth{APIKey: planted})
	}
	executable, err := os.Executable()
	require.NoError(t, err)
	for _, value := range []string{"Secret", "APIKeyAuth"} {
		child := exec.Command(executable, "-test.run=^TestAPanicShowsNoSecret$")
		child.Env = append(os.Environ(), "ROUTEAUTH_TEST_PANIC="+value, "GOTRACEBACK=all")
		output, err := child.CombinedOutput()
		require.Error(t, err)
		assert.Contains(t, string(output), "panic: ")
		assertShowsNothing(t, string(output), "panic with %s", value)
	}
}

// revealingSource and revealingBase are written by somebody who trusted the
// field's type to keep the secret, as values and not behind a pointer.
type revealingSource struct{ Key routeauth.Secret }

func (s revealingSource) Token(context.Context, routeauth.Params) (routeauth.Token, error) {
	return routeauth.Token{Value: s.Key}, nil
}

type revealingAuth struct{}

func (revealingAuth) RoundTrippers(http.RoundTripper) (mandatory, optional http.RoundTripper, err error) {
	return revealingBase{planted}, &revealingBase{planted}, nil
}

type revealingBase struct{ Key routeauth.Secret }

func (revealingBase) RoundTrip(req *http.Request) (*http.Response, error) {
	return answer(req, http.StatusNoContent, ""), nil
}

// publicTypes hold no secret: names, numbers, functions and interfaces.
var publicTypes = []string{
	"Auth", "CacheOption", "CacheStats", "CheckRetryFunc", "Decision", "Discarder", "JWTOption", "Match", "Option",
	"Params", "ParamsFunc", "PolicyOption", "RemoteOption", "Requirement", "Routes", "Scheme", "SecretDiscarder",
	"SecretSource", "SecretSourceFunc", "TokenFetch", "TokenSource", "TokenSourceFunc", "Trace", "Verdict",
}

// Rule 27, of every exported type that could hold a secret, in use.
func TestNoExportedTypeShowsASecret(t *testing.T) {
	held := sign(t, map[string]any{"key": planted, "iat": time.Now().Unix() - 1, "exp": time.Now().Unix() + 3600})
	policy, err := routeauth.NewPolicy("https://api.example.com/v1", routeauth.Routes{"GET /status": routeauth.Optional})
	require.NoError(t, err)
	static, err := routeauth.NewStaticTokenSource(planted)
	require.NoError(t, err)
	cache, err := routeauth.NewTokenCache(handsOut(held))
	require.NoError(t, err)
	_, err = cache.Token(t.Context(), routeauth.Params{"a": "b"})
	require.NoError(t, err)
	revealingCache, err := routeauth.NewTokenCache(revealingSource{planted})
	require.NoError(t, err)
	remote, err := routeauth.NewRemoteTokenSource("https://user:"+planted+"@backend.example.com/jwt?key="+planted,
		&http.Client{Transport: revealingBase{planted}})
	require.NoError(t, err)
	key, err := routeauth.NewAPIKeyTransport(planted, revealingBase{planted})
	require.NoError(t, err)
	header, err := routeauth.NewHeaderTransport("token", "X-Token", "Token "+planted, revealingBase{planted})
	require.NoError(t, err)
	subscription, err := routeauth.NewSubscriptionTransport("66ec1726", revealingBase{planted})
	require.NoError(t, err)
	jwt, err := routeauth.NewJWTTransport(revealingSource{planted}, revealingBase{planted})
	require.NoError(t, err)
	cachedJWT, err := routeauth.NewJWTTransport(cache, key)
	require.NoError(t, err)
	keyed, err := routeauth.New(policy, routeauth.APIKeyAuth{APIKey: planted}, revealingBase{planted})
	require.NoError(t, err)
	tokened, err := routeauth.New(policy, routeauth.JWTAuth{SubscriptionID: "66ec1726", Source: revealingSource{planted}}, header)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(path, []byte(planted), 0o600))
	file, err := routeauth.NewFileSecretSource(path)
	require.NoError(t, err)
	_, err = file.Secret(t.Context())
	require.NoError(t, err)
	cachedToken, err := cache.Token(t.Context(), routeauth.Params{"a": "b"})
	require.NoError(t, err)
	sourced, err := routeauth.NewHeaderSourceTransport("token", "X-Token", "Token ", file, revealingBase{planted})
	require.NoError(t, err)
	basic, err := routeauth.New(policy, routeauth.BasicAuth{Username: "ada", Password: planted}, nil)
	require.NoError(t, err)
	custom, err := routeauth.New(policy, revealingAuth{}, &revealingBase{planted})
	require.NoError(t, err)
	unauthorized := keyRejection(t, planted, func(resp *http.Response) {
		resp.Header.Set("X-Echo", planted)
		resp.Body = http.NoBody
	})
	_, ill := (&http.Client{Transport: func() http.RoundTripper {
		transport, err := routeauth.NewJWTTransport(handsOut(planted+"\n"), nil)
		require.NoError(t, err)
		return transport
	}()}).Get(errorsURL)
	var credential *routeauth.CredentialError
	require.ErrorAs(t, ill, &credential)

	values := []any{
		policy, *policy, static, cache, *cache, revealingCache, remote, *remote,
		key, *key, header, *header, subscription, *subscription, jwt, *jwt, cachedJWT,
		keyed, *keyed, tokened, *tokened, custom, *custom, file, *file, sourced, *sourced, basic, *basic,
		&routeauth.EndpointError{Endpoint: "https://backend.example.com"}, routeauth.EndpointError{},
		routeauth.BearerAuth{Source: cache}, routeauth.SplitAuth{Mandatory: routeauth.BearerAuth{Source: static}},
		unauthorized, *unauthorized, credential, *credential,
		routeauth.JWTAuth{SubscriptionID: "66ec1726", Source: static},
		&routeauth.JWTAuth{SubscriptionID: "66ec1726", Source: cache},
		&http.Client{Transport: keyed},
	}
	reachable := []any{
		routeauth.Secret(planted),
		routeauth.APIKeyAuth{APIKey: planted}, &routeauth.APIKeyAuth{APIKey: planted},
		routeauth.JWTAuth{Source: revealingSource{planted}},
		routeauth.BasicAuth{Username: "ada", Password: planted}, &routeauth.BasicAuth{Username: planted},
		routeauth.HeaderAuth{Name: "X-Token", Prefix: "Token ", Value: planted}, &routeauth.HeaderAuth{Value: planted},
		cachedToken, &cachedToken, routeauth.Token{Value: planted},
	}

	shown := slices.Clone(publicTypes)
	for _, value := range slices.Concat(values, reachable) {
		typ := reflect.TypeOf(value)
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		shown = append(shown, typ.Name())
		for container, value := range map[string]any{
			"itself":                   value,
			"in an exported field":     struct{ V any }{value},
			"behind an exported field": &struct{ V []any }{[]any{value}},
			"in a map":                 map[string]any{"v": value},
		} {
			for how, text := range printings(value) {
				assertShowsNothing(t, text, "%s %s, %s", typ, container, how)
			}
		}
	}
	for _, value := range values {
		for how, text := range printings(struct{ v any }{value}) {
			assertShowsNothing(t, text, "%T in an unexported field, %s", value, how)
		}
	}
	for _, name := range exportedTypes(t) {
		assert.Contains(t, shown, name, "a type that this test does not know")
	}
}

// exportedTypes returns the names of the package's exported types, from its
// source.
func exportedTypes(t *testing.T) (names []string) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(gotoken.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.IsExported() {
				names = append(names, spec.Name.Name)
			}
			return true
		})
	}
	require.NotEmpty(t, names)
	return names
}

// Rule 27: the documentation of Secret says what is out of its reach. Where one
// of these stops being true, it is to say so.
func TestWhatIsDocumentedAsOutOfReachOfSecretIs(t *testing.T) {
	secret := routeauth.Secret(planted)
	type unexported struct{ key routeauth.Secret }
	type auth struct{ auth routeauth.APIKeyAuth }
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.Contains(t, fmt.Sprintf(verb, unexported{secret}), planted, "an unexported field, %s", verb)
		assert.Contains(t, fmt.Sprintf(verb, auth{routeauth.APIKeyAuth{APIKey: secret}}), planted, "APIKeyAuth in an unexported field, %s", verb)
	}
	assertShowsNothing(t, fmt.Sprintf("%+v", struct{ key func() routeauth.Secret }{func() routeauth.Secret { return secret }}), "a closure")

	type comment struct {
		Key routeauth.Secret `xml:",comment"`
	}
	data, err := xml.Marshal(comment{secret})
	require.NoError(t, err)
	assert.Contains(t, string(data), planted, "a comment of encoding/xml")

	type exported struct{ Key routeauth.Secret }
	for _, verb := range []string{"%s", "%q"} {
		assert.Contains(t, fmt.Sprintf(verb, []*exported{{secret}}), planted, "behind a pointer, %s", verb)
		assertShowsNothing(t, fmt.Sprintf(verb, &exported{secret}), "the pointer itself, %s", verb)
	}
	assertShowsNothing(t, fmt.Sprintf("%v", []*exported{{secret}}), "behind a pointer, %%v")

	for _, verb := range []string{"%p", "%w"} {
		assert.Contains(t, fmt.Sprintf(verb, secret), planted, verb)
	}
	// A key of a JSON object is shown before Go 1.27, and not since.
	_, err = json.Marshal(map[routeauth.Secret]int{secret: 1})
	require.NoError(t, err)

	var out bytes.Buffer
	require.NoError(t, gob.NewEncoder(&out).Encode(secret))
	assert.Contains(t, out.String(), planted, "gob")
}

// Rule 17: a configuration that was marshalled and read back is refused, and not
// sent to a server.
func TestASecretThatWasMarshalledIsRefusedWhenItIsReadBack(t *testing.T) {
	type config struct{ Key routeauth.Secret }
	var read config
	data, err := json.Marshal(config{planted})
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &read))
	_, err = routeauth.NewAPIKeyTransport(read.Key, nil)
	assert.ErrorContains(t, err, "REDACTED")

	data, err = xml.Marshal(config{planted})
	require.NoError(t, err)
	read = config{}
	require.NoError(t, xml.Unmarshal(data, &read))
	_, err = routeauth.NewStaticTokenSource(read.Key)
	assert.ErrorContains(t, err, "REDACTED")
}
