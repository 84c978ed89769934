package main

import (
	"bytes"
	"errors"
	"flag"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/openapi"
	"example.com/routeauth/openapi/cmd/routes/internal/petstore"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// beMain, as an environment variable, makes the test binary the real command.
const beMain = "ROUTES_TEST_BE_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(beMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// result is what the command did.
type result struct {
	status         int
	stdout, stderr string
}

// routes runs the command in a folder.
func routes(t *testing.T, folder string, args ...string) result {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), beMain+"=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// folderWith returns a folder with copies of the documents in testdata.
func folderWith(t *testing.T, documents ...string) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range documents {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), data, 0o644))
	}
	return folder
}

func read(t *testing.T, folder, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, name))
	require.NoError(t, err)
	return string(data)
}

func assertGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "go test -update writes it")
	assert.Equal(t, string(want), got, "go test -update accepts the change")
}

func TestTheCommandsOutputIsGolden(t *testing.T) {
	for _, c := range []struct {
		name   string
		args   string
		status int
	}{
		{"code", "-spec petstore.yaml -package petstore", ok},
		{"code_optional", "-spec petstore.yaml -package petstore -optional-scheme visitor -optional-scheme api_key", ok},
		{"code_base_url", "-spec petstore.yaml -package petstore -base-url https://eu.petstore.example.com", ok},
		{"code_no_host", "-spec nohost.yaml -package petstore", ok},
		{"list", "-spec petstore.yaml -list", ok},
		{"list_optional", "-spec petstore.yaml -list -optional-scheme visitor -package petstore -out unwritten.go", ok},
		{"list_unsaid", "-spec unsaid.yaml -list", broken},
		{"unsaid", "-spec unsaid.yaml -package petstore", broken},
		{"conflict", "-spec conflict.yaml -package petstore", broken},
		{"help", "-h", ok},
		{"no_document", "-spec missing.yaml -package petstore", broken},
		{"unknown_scheme", "-spec petstore.yaml -package petstore -optional-scheme visiter", broken},
		{"list_unknown_scheme", "-spec petstore.yaml -list -optional-scheme visiter", broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := folderWith(t, "petstore.yaml", "nohost.yaml", "unsaid.yaml", "conflict.yaml")
			got := routes(t, folder, strings.Fields(c.args)...)
			assert.Equal(t, c.status, got.status, got.stderr)
			assertGolden(t, c.name+".stdout", got.stdout)
			assertGolden(t, c.name+".stderr", strings.ReplaceAll(got.stderr, "The system cannot find the file specified.", "no such file or directory"))
			assert.NoFileExists(t, filepath.Join(folder, "unwritten.go"))
		})
	}
}

func TestTheCodeIsFormattedAndIsTheDocumentsTable(t *testing.T) {
	code := read(t, "internal/petstore", "routes_gen.go")
	formatted, err := format.Source([]byte(code))
	require.NoError(t, err)
	assert.Equal(t, string(formatted), code)

	document, err := openapi.Load([]byte(read(t, "testdata", "petstore.yaml")))
	require.NoError(t, err)
	table, err := document.Routes(openapi.WithOptionalScheme("visitor"))
	require.NoError(t, err)
	assert.Equal(t, table, petstore.Routes())
	assert.Equal(t, "https://petstore.example.com/v1", petstore.BaseURL)
	_, err = routeauth.NewPolicy(petstore.BaseURL, petstore.Routes())
	require.NoError(t, err)

	changed := petstore.Routes()
	clear(changed)
	assert.Equal(t, table, petstore.Routes())
}

func TestTheHeaderRepeatsTheWholeCommand(t *testing.T) {
	folder := folderWith(t, "petstore.yaml")
	require.NoError(t, os.Rename(filepath.Join(folder, "petstore.yaml"), filepath.Join(folder, "the pet's store.yaml")))
	got := routes(t, folder, "-spec", "the pet's store.yaml", "-out", "routes_gen.go", "-package", "api", "-optional-scheme", "visitor", "-base-url", "https://api.example.com/v1")
	require.Equal(t, result{}, got)
	header, _, _ := strings.Cut(read(t, folder, "routes_gen.go"), "\n")
	assert.Equal(t, `// Code generated by "go run example.com/routeauth/openapi/cmd/routes -spec 'the pet'\\''s store.yaml' -package api `+
		`-out routes_gen.go -base-url https://api.example.com/v1 -optional-scheme visitor"; DO NOT EDIT.`, header)
	assert.Regexp(t, `^// Code generated .* DO NOT EDIT\.$`, header)
}

func TestWhatWasWrittenPassesTheCheck(t *testing.T) {
	assert.Equal(t, result{}, routes(t, "internal/petstore", "-spec", "../../testdata/petstore.yaml", "-package", "petstore", "-out", "routes_gen.go", "-optional-scheme", "visitor", "-check"))

	folder := folderWith(t, "petstore.yaml")
	args := []string{"-spec", "petstore.yaml", "-package", "api", "-out", "routes_gen.go"}
	require.Equal(t, result{}, routes(t, folder, args...))
	assert.Equal(t, result{}, routes(t, folder, append(args, "-check")...))
}

func TestTheCheckSaysThatFileAndDocumentHaveParted(t *testing.T) {
	args := []string{"-spec", "petstore.yaml", "-package", "api", "-out", "routes_gen.go"}
	long := "// " + strings.Repeat("x", 100_000)
	for name, change := range map[string]func(code string) string{
		"a final newline is lost":         func(code string) string { return strings.TrimSuffix(code, "\n") },
		"a final newline is added":        func(code string) string { return code + "\n" },
		"it is empty":                     func(string) string { return "" },
		"a requirement is another":        func(code string) string { return strings.Replace(code, "routeauth.Mandatory", "routeauth.Public", 1) },
		"line ends are another":           func(code string) string { return strings.ReplaceAll(code, "\n", "\r\n") },
		"a long line is added at the end": func(code string) string { return code + long },
		"a long line is added within":     func(code string) string { return strings.Replace(code, "package", long+"\npackage", 1) },
		"only what follows a long line":   func(code string) string { return strings.Replace(code, "\npackage", "\n"+long+"\npackage", 1) + "x" },
		"the package is another":          func(code string) string { return strings.Replace(code, "package api", "package apis", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			folder := folderWith(t, "petstore.yaml")
			require.Equal(t, result{}, routes(t, folder, args...))
			changed := change(read(t, folder, "routes_gen.go"))
			require.NoError(t, os.WriteFile(filepath.Join(folder, "routes_gen.go"), []byte(changed), 0o644))

			got := routes(t, folder, append(args, "-check")...)
			assert.Equal(t, parted, got.status)
			assert.Empty(t, got.stdout)
			assert.Contains(t, got.stderr, "routes: routes_gen.go is not what petstore.yaml says: line ")
			assert.Contains(t, got.stderr, "\ngo run example.com/routeauth/openapi/cmd/routes -spec petstore.yaml -package api -out routes_gen.go\n")
			assert.Less(t, len(got.stderr), 1000)
			assert.Equal(t, changed, read(t, folder, "routes_gen.go"), "a check changes nothing")
		})
	}
	t.Run("the file is missing", func(t *testing.T) {
		folder := folderWith(t, "petstore.yaml")
		got := routes(t, folder, append(args, "-check")...)
		assert.Equal(t, parted, got.status)
		assert.Contains(t, got.stderr, "routes: routes_gen.go does not exist; this writes it:\ngo run ")
		assert.NoFileExists(t, filepath.Join(folder, "routes_gen.go"))
	})
	t.Run("the document is another", func(t *testing.T) {
		folder := folderWith(t, "petstore.yaml")
		require.Equal(t, result{}, routes(t, folder, args...))
		document := strings.Replace(read(t, folder, "petstore.yaml"), "/health", "/healthz", 1)
		require.NoError(t, os.WriteFile(filepath.Join(folder, "petstore.yaml"), []byte(document), 0o644))
		got := routes(t, folder, append(args, "-check")...)
		assert.Equal(t, parted, got.status)
		assert.Contains(t, got.stderr, `line 16 is "\t\t\"GET /health\":`)
		assert.Contains(t, got.stderr, `want "\t\t\"GET /healthz\":`)
	})
}

func TestWhatIsBrokenEndsWithItsOwnStatusAndWritesNothing(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"", "-spec is missing"},
		{"-package api", "-spec is missing"},
		{"-spec petstore.yaml", `-package is ""`},
		{"-spec petstore.yaml -package a.b", `-package is "a.b"`},
		{"-spec petstore.yaml -package func", `-package is "func"`},
		{"-spec petstore.yaml -package _", `-package is "_"`},
		{"-spec petstore.yaml -package api more", `"more" is not a flag`},
		{"-spec petstore.yaml -package api -unknown", "flag provided but not defined"},
		{"-spec petstore.yaml -package api -check", "-check needs -out"},
		{"-spec petstore.yaml -package api -out routes_gen.go -check -list", "-list and -check"},
		{"-spec missing.yaml -package api -out routes_gen.go", "missing.yaml"},
		{"-spec missing.yaml -package api -out routes_gen.go -check", "missing.yaml"},
		{"-spec . -package api -out routes_gen.go", "."},
		{"-spec text.yaml -package api -out routes_gen.go", "text.yaml: openapi: the document is not an object"},
		{"-spec unsaid.yaml -package api -out routes_gen.go", "GET /pets?status={status}: its path has a query"},
		{"-spec unsaid.yaml -package api -out routes_gen.go -check", "GET /pets?status={status}: its path has a query"},
		{"-spec conflict.yaml -package api -out routes_gen.go", `route "GET /a/{x}" (public) conflicts with route "GET /{x}/b" (mandatory)`},
		{"-spec petstore.yaml -package api -out routes_gen.go -optional-scheme x", `no security scheme "x"`},
		{"-spec petstore.yaml -package api -out routes_gen.go -optional-scheme=", "the name of the optional scheme is empty"},
		{"-spec petstore.yaml -package api -out routes_gen.go -base-url /v1", "base URL"},
		{"-spec petstore.yaml -package api -out missing/routes_gen.go", "missing"},
		{"-spec petstore.yaml -package api -out folder", "folder"},
		{"-spec petstore.yaml -package api -out folder -check", "folder"},
	} {
		t.Run(c.args, func(t *testing.T) {
			folder := folderWith(t, "petstore.yaml", "unsaid.yaml", "conflict.yaml")
			require.NoError(t, os.WriteFile(filepath.Join(folder, "text.yaml"), []byte("text"), 0o644))
			require.NoError(t, os.WriteFile(filepath.Join(folder, "routes_gen.go"), []byte("stale"), 0o644))
			require.NoError(t, os.Mkdir(filepath.Join(folder, "folder"), 0o755))
			before := names(t, folder)
			got := routes(t, folder, strings.Fields(c.args)...)
			assert.Equal(t, broken, got.status, got.stderr)
			assert.Contains(t, got.stderr, c.want)
			assert.Empty(t, got.stdout)
			assert.Equal(t, "stale", read(t, folder, "routes_gen.go"))
			assert.Equal(t, before, names(t, folder))
		})
	}
}

func TestAnErrorShowsNoPassword(t *testing.T) {
	folder := folderWith(t, "petstore.yaml")
	got := routes(t, folder, "-spec", "petstore.yaml", "-package", "api", "-base-url", "https://user:hunter2@api.example.com")
	assert.Equal(t, broken, got.status)
	assert.NotContains(t, got.stdout+got.stderr, "hunter2")
}

func TestAFileIsReplacedAsAWholeAndOnlyIfItIsAnother(t *testing.T) {
	folder := folderWith(t, "petstore.yaml")
	args := []string{"-spec", "petstore.yaml", "-package", "api", "-out", "routes_gen.go"}
	file := filepath.Join(folder, "routes_gen.go")
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("stale", 10_000)), 0o644))
	require.Equal(t, result{}, routes(t, folder, args...))
	assert.True(t, strings.HasPrefix(read(t, folder, "routes_gen.go"), "// Code generated"))
	assert.Equal(t, []string{"petstore.yaml", "routes_gen.go"}, names(t, folder))

	long := time.Now().Add(-time.Hour).Truncate(time.Second)
	require.NoError(t, os.Chtimes(file, long, long))
	require.Equal(t, result{}, routes(t, folder, args...))
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, long, info.ModTime(), "it was written again")
}

func TestWithoutOutTheCodeGoesToStandardOutput(t *testing.T) {
	folder := folderWith(t, "petstore.yaml")
	got := routes(t, folder, "-spec", "petstore.yaml", "-package", "api")
	assert.Equal(t, ok, got.status)
	assert.Contains(t, got.stdout, "func Routes() routeauth.Routes")
	assert.Equal(t, []string{"petstore.yaml"}, names(t, folder))
}

// names returns the names of the files in a folder.
func names(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}
