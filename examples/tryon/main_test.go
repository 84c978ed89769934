package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/routeauth/aiuta/aiutatest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rowsOf returns the lines of the table that the program printed, without time.
func rowsOf(out string) (rows []string) {
	for line := range strings.Lines(out) {
		line := []rune(strings.TrimSuffix(line, "\n"))
		if len(line) != 79 || !strings.HasSuffix(string(line), "s") { // a duration's unit
			continue
		}
		var cells []string
		for _, cell := range [][]rune{line[2:6], line[7:29], line[30:42], line[43:67], line[68:71]} {
			cells = append(cells, strings.TrimSpace(string(cell)))
		}
		rows = append(rows, strings.Join(cells, ", "))
	}
	return rows
}

// noEnvironment is an environment without variables.
func noEnvironment(string) string { return "" }

func TestTheProgramShowsTheFourCellsAndTheTyped401(t *testing.T) {
	s, err := parseSettings(nil, noEnvironment, nil)
	require.NoError(t, err)
	s.interval = func(int) time.Duration { return 0 }
	var out bytes.Buffer
	require.NoError(t, perform(t.Context(), s, &out))

	userID, token, key := "x-user-id (subscription)", "Authorization (jwt)", "x-api-key (api-key)"
	assert.Equal(t, []string{
		"POST, /uploaded_images, optional, " + userID + ", 200",
		"POST, /jwt, your backend, -, 200",
		"POST, /sku_images_operations, mandatory, " + token + ", 200",
		"GET, …/sku_images_op-1, optional, " + userID + ", 200",
		"GET, …/sku_images_op-1, optional, " + userID + ", 200",
		"GET, …/sku_images_op-1, optional, " + userID + ", 200",
		"GET, /storage/gen_image-1, out of scope, -, 200",

		"POST, /uploaded_images, optional, " + key + ", 200",
		"POST, /sku_images_operations, mandatory, " + key + ", 200",
		"GET, …/sku_images_op-2, optional, " + key + ", 200",
		"GET, …/sku_images_op-2, optional, " + key + ", 200",
		"GET, …/sku_images_op-2, optional, " + key + ", 200",
		"GET, /storage/gen_image-2, out of scope, -, 200",

		"POST, /uploaded_images, optional, " + userID + ", 200",
		"POST, /sku_images_operations, mandatory, " + token + ", 401",
	}, rowsOf(out.String()))
	assert.Equal(t, 3, strings.Count(out.String(), "\n  Look at "), "one line above each part")
	assert.Contains(t, out.String(), "*routeauth.UnauthorizedError:\n    scheme      jwt\n    detail      \"the token is not valid")
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
		"POST, /uploaded_images, optional, x-api-key (api-key), 200",
		"POST, /sku_images_operations, mandatory, x-api-key (api-key), 200",
		"GET, …/sku_images_op-1, optional, x-api-key (api-key), 200",
		"GET, /storage/gen_image-1, out of scope, -, 200",
	}, rowsOf(out.String()), "only the part for which there is a credential")
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
		"no folder":        {[]string{"-out", filepath.Join("no-such-folder", "a.png")}, nil, "no-such-folder"},
		"folder is a file": {[]string{"-out", filepath.Join("main.go", "a.png")}, nil, "main.go"},
		"a folder":         {[]string{"-out", "."}, nil, "is not a regular file"},
		"empty -out":       {[]string{"-out", ""}, nil, "-out is empty"},
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
	const key = "key-0123456789/0123456789" // longer than the column, and escaped in a path
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
		return map[string]string{"AIUTA_API_KEY": key}[name]
	}, nil)
	require.NoError(t, err)
	s.interval = func(int) time.Duration { return 0 }
	var out bytes.Buffer
	err = perform(t.Context(), s, &out)
	require.ErrorContains(t, err, "REDACTED")
	assert.Contains(t, out.String(), "…/REDACTED")
	assert.NotContains(t, out.String()+err.Error(), "0123456789")
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
