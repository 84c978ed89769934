package integration_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/httptransport"
	"example.com/routeauth/roundtriptest"
	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/google/go-github/v89/github"
	"github.com/gregjones/httpcache"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/prometheus/common/config"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"golang.org/x/oauth2"
	"k8s.io/client-go/transport"
)

// peer is a transport of another project.
type peer struct {
	name       string // of the transport
	module     string // as in go.mod
	credential string // the header field in which it sends one, or empty
	wrap       roundtriptest.WrapFunc
}

var peers = []peer{
	{"x/oauth2, Transport", "golang.org/x/oauth2", "Authorization", func(base http.RoundTripper) (http.RoundTripper, error) {
		return &oauth2.Transport{Source: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "secret"}), Base: base}, nil
	}},
	{"client-go, NewBearerAuthRoundTripper", "k8s.io/client-go", "Authorization", func(base http.RoundTripper) (http.RoundTripper, error) {
		return transport.NewBearerAuthRoundTripper("secret", base), nil
	}},
	{"prometheus/common, NewAuthorizationCredentialsRoundTripper", "github.com/prometheus/common", "Authorization", func(base http.RoundTripper) (http.RoundTripper, error) {
		return config.NewAuthorizationCredentialsRoundTripper("Bearer", config.NewInlineSecret("secret"), base), nil
	}},
	{"cloud.google.com/go/auth, AddAuthorizationMiddleware", "cloud.google.com/go/auth", "Authorization", func(base http.RoundTripper) (http.RoundTripper, error) {
		client := &http.Client{Transport: base}
		err := httptransport.AddAuthorizationMiddleware(client, auth.NewCredentials(&auth.CredentialsOptions{TokenProvider: staticToken{}}))
		return client.Transport, err
	}},
	{"ghinstallation, Transport", "github.com/bradleyfalzon/ghinstallation/v2", "Authorization", func(base http.RoundTripper) (http.RoundTripper, error) {
		return ghinstallation.New(installationTokens{base}, 1, 2, appKey())
	}},
	{"go-github, BasicAuthTransport", "github.com/google/go-github/v89", "Authorization", func(base http.RoundTripper) (http.RoundTripper, error) {
		return &github.BasicAuthTransport{Username: "user", Password: "secret", Transport: base}, nil
	}},
	{"otelhttp, Transport", "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp", "", func(base http.RoundTripper) (http.RoundTripper, error) {
		return otelhttp.NewTransport(base), nil
	}},
	{"httpcache, Transport", "github.com/gregjones/httpcache", "", func(base http.RoundTripper) (http.RoundTripper, error) {
		cache := httpcache.NewMemoryCacheTransport()
		cache.Transport = base
		return cache, nil
	}},
	{"go-retryablehttp, RoundTripper", "github.com/hashicorp/go-retryablehttp", "", func(base http.RoundTripper) (http.RoundTripper, error) {
		client := retryablehttp.NewClient()
		client.Logger = nil
		client.HTTPClient.Transport = base
		client.RetryWaitMin, client.RetryWaitMax = time.Millisecond, time.Millisecond
		return &retryablehttp.RoundTripper{Client: client}, nil
	}},
	{"failsafe-go, RoundTripper with a retry policy", "github.com/failsafe-go/failsafe-go", "", func(base http.RoundTripper) (http.RoundTripper, error) {
		return failsafehttp.NewRoundTripper(base, failsafehttp.NewRetryPolicyBuilder().Build()), nil
	}},
}

// staticToken is a source of tokens for cloud.google.com/go/auth.
type staticToken struct{}

func (staticToken) Token(context.Context) (*auth.Token, error) {
	return &auth.Token{Value: "secret"}, nil
}

// installationTokens answers ghinstallation's requests for a token, which it
// sends through its base, so that the suite counts the others alone.
type installationTokens struct{ http.RoundTripper }

func (t installationTokens) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL == nil || req.URL.Host != "api.github.com" {
		return t.RoundTripper.RoundTrip(req)
	}
	body := fmt.Sprintf(`{"token":"secret","expires_at":%q}`, time.Now().Add(time.Hour).Format(time.RFC3339))
	return &http.Response{StatusCode: http.StatusCreated, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

// appKey returns a private key, the same at each call.
var appKey = sync.OnceValue(func() []byte {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
})

const (
	peersTable     = "roundtriptest_peers.md"
	peerVariable   = "ROUTEAUTH_PEER"         // the peer that a process of its own tests
	updateVariable = "ROUTEAUTH_UPDATE_PEERS" // set to write the table anew
)

// What the suite finds in the peers is a table, which this test makes. It is a
// test of the suite, and of nobody's transport: most of what is found was chosen.
func TestTheTableOfPeersIsWhatTheSuiteFinds(t *testing.T) {
	if name := os.Getenv(peerVariable); name != "" {
		for _, p := range peers {
			if p.name == name {
				p.test(t)
			}
		}
		return
	}
	if testing.Short() {
		t.Skip("the suite runs over ten transports, some of which retry")
	}
	table := render(t)
	if os.Getenv(updateVariable) != "" {
		require.NoError(t, os.WriteFile(peersTable, table, 0o644))
	}
	committed, err := os.ReadFile(peersTable)
	require.NoError(t, err)
	require.Equal(t, string(table), string(committed), "%s is not what this run finds; %s=1 writes it anew", peersTable, updateVariable)
}

// test puts the peer through the suite. It fails, and the output says why: that
// is why it runs in a process of its own.
func (p peer) test(t *testing.T) {
	opts := []roundtriptest.Option{roundtriptest.Strict()}
	if p.credential != "" {
		opts = append(opts, roundtriptest.WithCredential(p.credential))
	}
	roundtriptest.Test(t, p.wrap, opts...)
}

// finding is a clause that a peer does not keep, with the first line of what the
// suite says of it.
type finding struct{ clause, text string }

// find runs the suite over the peer and returns what it finds, and how many
// clauses of each theme were checked.
func (p peer) find(t *testing.T) (found []finding, checked map[string]int) {
	binary, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), binary, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), peerVariable+"="+p.name, "GORACE=atexit_sleep_ms=0")
	out, _ := cmd.CombinedOutput()

	said := make(map[string]string) // the first line of each clause
	checked = make(map[string]int)
	clause := ""
	for line := range strings.Lines(string(out)) {
		if m := running.FindStringSubmatch(line); m != nil {
			clause = m[1]
		} else if m := message.FindStringSubmatch(line); m != nil && said[clause] == "" {
			said[clause] = m[1]
		} else if m := verdict.FindStringSubmatch(line); m != nil {
			theme, _, _ := strings.Cut(m[2], "/")
			switch m[1] {
			case "FAIL":
				found = append(found, finding{m[2], said[m[2]]})
				checked[theme]++
			case "PASS":
				checked[theme]++
			}
		}
	}
	require.NotEmpty(t, checked, "%s: %s", p.name, out)
	return found, checked
}

// Lines of the output of a test. Where a panic was depends on the Go release.
var (
	running = regexp.MustCompile(`^=== RUN +\w+/(\S+)`)
	message = regexp.MustCompile(`^ +\w+\.go:\d+: (.*?)(, in \S+ \(\w+\.go:\d+\).*)?\n$`)
	verdict = regexp.MustCompile(`^ +--- (\w+): \w+/(\S+) \(`)
)

// render runs the suite over every peer.
func render(t *testing.T) []byte {
	versions := versions(t)
	var summary, details bytes.Buffer
	for _, p := range peers {
		found, checked := p.find(t)
		count := map[string]int{}
		fmt.Fprintf(&details, "\n## %s\n\n", p.name)
		for _, f := range found {
			count[kind(f.clause)]++
			fmt.Fprintf(&details, "- `%s`: %s\n", f.clause, f.text)
		}
		if len(found) == 0 {
			fmt.Fprintln(&details, "Nothing.")
		}
		total := map[string]int{}
		for theme, n := range checked {
			total[kind(theme)] += n
		}
		fmt.Fprintf(&summary, "| %s | %s |", p.name, versions[p.module])
		for _, kind := range []string{"contract", "credential", "advice"} {
			if total[kind] == 0 {
				summary.WriteString(" - |")
			} else {
				fmt.Fprintf(&summary, " %d of %d |", count[kind], total[kind])
			}
		}
		summary.WriteString("\n")
	}
	var table bytes.Buffer
	fmt.Fprintf(&table, `# What roundtriptest finds in other transports

[roundtriptest_peers_test.go](roundtriptest_peers_test.go) makes this page: it runs [roundtriptest](../roundtriptest) over each transport, and fails where the page is not what it finds. This writes it anew:

`+"```sh\n%s=1 go test -run %s .\n```"+`

A number is that of the clauses that are not kept, of those that were checked. The contract is net/http's documentation. Credential and advice go beyond it. A transport that retries or caches does not keep the contract on purpose: it is about a single transaction.

| transport | version | contract | credential | advice |
| --- | --- | --- | --- | --- |
%s%s`, updateVariable, t.Name(), summary.Bytes(), details.Bytes())
	return table.Bytes()
}

// kind returns the kind of a clause, or of its theme.
func kind(clause string) string {
	switch theme, _, _ := strings.Cut(clause, "/"); theme {
	case "credential", "redirect":
		return "credential"
	case "advice":
		return theme
	}
	return "contract"
}

// versions returns those of the modules that go.mod names.
func versions(t *testing.T) map[string]string {
	text, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	versions := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) >= 2 {
			versions[fields[0]] = fields[1]
		}
	}
	return versions
}
