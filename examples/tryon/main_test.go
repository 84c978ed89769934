package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.com/routeauth/aiuta/aiutatest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// columnsOf returns the calls that the program printed, without path, time and
// what is not a call.
func columnsOf(out string) (calls []string) {
	call := regexp.MustCompile(`^  (POST|GET) +(\S+) +(.+?)  +(\S+) +(\d+|failed) +\S+ ms$`)
	for line := range strings.Lines(out) {
		if m := call.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
			calls = append(calls, strings.Join([]string{m[1], m[3], m[4], m[5]}, ", "))
		}
	}
	return calls
}

// noEnvironment is an environment without variables.
func noEnvironment(string) string { return "" }

func TestTheProgramShowsTheFourCellsAndTheTyped401(t *testing.T) {
	s, err := parseSettings(nil, noEnvironment, nil)
	require.NoError(t, err)
	s.interval = func(int) time.Duration { return 0 }
	var out bytes.Buffer
	require.NoError(t, perform(t.Context(), s, &out))

	status, keyStatus := "GET, optional, x-user-id, 200", "GET, optional, x-api-key, 200"
	assert.Equal(t, []string{
		"POST, optional, x-user-id, 200",
		"POST, your backend, -, 200",
		"POST, mandatory, Authorization, 200",
		status, status, status,
		"GET, not the API, -, 200",

		"POST, optional, x-api-key, 200",
		"POST, mandatory, x-api-key, 200",
		keyStatus, keyStatus, keyStatus,
		"GET, not the API, -, 200",

		"POST, optional, x-user-id, 200",
		"POST, mandatory, Authorization, 401",
	}, columnsOf(out.String()))
	assert.Contains(t, out.String(), "*routeauth.UnauthorizedError: scheme jwt, detail")
	for _, secret := range []string{string(aiutatest.APIKey), string(aiutatest.JWTSecret), aiutatest.SubscriptionID, "not.a.jwt"} {
		assert.NotContains(t, out.String(), secret)
	}
}

func TestTheProgramRunsAgainstAnAPIThatIsNamed(t *testing.T) {
	server := aiutatest.NewServer(aiutatest.Config{StatusCalls: 1})
	defer server.Close()
	key := map[string]string{"AIUTA_API_KEY": string(aiutatest.APIKey)}
	s, err := parseSettings([]string{"-base-url", server.DigitalTryOnURL(), "-sku", "a"},
		func(name string) string { return key[name] }, nil)
	require.NoError(t, err)
	s.interval = func(int) time.Duration { return 0 }
	var out bytes.Buffer
	require.NoError(t, perform(t.Context(), s, &out))
	assert.Equal(t, []string{
		"POST, optional, x-api-key, 200",
		"POST, mandatory, x-api-key, 200",
		"GET, optional, x-api-key, 200",
		"GET, not the API, -, 200",
	}, columnsOf(out.String()), "only the part for which there is a credential")
}

func TestAWrongSettingIsOneClearError(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		env  map[string]string
		want string
	}{
		"no credentials":   {[]string{"-base-url", "https://x.example"}, nil, "set AIUTA_API_KEY or AIUTA_SUBSCRIPTION_ID"},
		"no JWT":           {[]string{"-base-url", "https://x.example"}, map[string]string{"AIUTA_SUBSCRIPTION_ID": "a"}, "set AIUTA_TOKEN_URL"},
		"half a key pair":  {[]string{"-base-url", "https://x.example"}, map[string]string{"AIUTA_SUBSCRIPTION_ID": "a", "AIUTA_JWT_KEY": "b"}, "set AIUTA_TOKEN_URL"},
		"plaintext":        {[]string{"-base-url", "http://x.example"}, map[string]string{"AIUTA_API_KEY": "a"}, "plaintext"},
		"relative":         {[]string{"-base-url", "x"}, map[string]string{"AIUTA_API_KEY": "a"}, "relative"},
		"key with a space": {[]string{"-base-url", "https://x.example"}, map[string]string{"AIUTA_API_KEY": "a b"}, "API key: byte 0x20"},
		"no image":         {[]string{"-image", "no-such-file"}, nil, "no-such-file"},
		"empty image":      {[]string{"-image", os.DevNull}, nil, "is not a regular file"},
		"unset variable":   {[]string{"-base-url", "", "-image", ""}, nil, "-base-url is empty"},
		"no subscription":  {[]string{"-base-url", "https://x.example"}, map[string]string{"AIUTA_API_KEY": "a", "AIUTA_TOKEN_URL": "b"}, "set AIUTA_SUBSCRIPTION_ID"},
		"no SKU":           {[]string{"-sku", ""}, nil, "-sku is empty"},
		"an argument":      {[]string{"x"}, nil, `unexpected argument "x"`},
		"an unknown flag":  {[]string{"-x"}, nil, "-x"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := run(t.Context(), test.args, func(name string) string { return test.env[name] }, &out)
			require.ErrorContains(t, err, test.want)
			assert.NotContains(t, oneLine(err.Error()), "\n")
			assert.Empty(t, out.String())
		})
	}
}

// A server may send back what it was sent.
func TestTheProgramShowsNoCredentialThatAServerSendsBack(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		key := req.Header.Get("x-api-key")
		switch req.Method {
		case "POST":
			fmt.Fprintf(w, `{"id": "1", "operation_id": "%s"}`, key)
		default:
			fmt.Fprintf(w, `{"status": "FAILED", "error": "%s\u001b[2K\r"}`, key)
		}
	}))
	defer server.Close()
	s, err := parseSettings([]string{"-base-url", server.URL + "/v1/"}, func(name string) string {
		return map[string]string{"AIUTA_API_KEY": "key-0123456789"}[name]
	}, nil)
	require.NoError(t, err)
	s.interval = func(int) time.Duration { return 0 }
	var out bytes.Buffer
	err = perform(t.Context(), s, &out)
	require.ErrorContains(t, err, "REDACTED")
	assert.Contains(t, out.String(), "/v1/sku_images_operations/REDACTED")
	assert.NotContains(t, out.String()+err.Error(), "key-0123456789")
	assert.NotContains(t, out.String()+err.Error(), "\x1b")
}

// The API's documented rhythm.
func TestPollInterval(t *testing.T) {
	assert.Equal(t, time.Second, pollInterval(0))
	assert.Equal(t, time.Second, pollInterval(3))
	assert.Equal(t, time.Second/2, pollInterval(4))
	assert.Equal(t, time.Second/2, pollInterval(23))
	assert.Equal(t, 3*time.Second, pollInterval(24))
}
