//go:build unix

package routeauth_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rule 34: a pipe, which would block until somebody writes, is not read.
func TestAPipeIsNoSecretFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	_, err := newFileSource(t, path).Secret(t.Context())
	assert.ErrorContains(t, err, "is not a regular file")
}
