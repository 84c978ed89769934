package routeauth

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"example.com/routeauth/internal/sound"
)

// SecretSource supplies a credential that may change while the program runs,
// such as an API key that is rotated.
type SecretSource interface {
	// Secret returns the credential as it is now. It is called at each request
	// that needs one, so it should be fast. It must be safe for concurrent use
	// and return when ctx ends. An error must not quote the credential; one that
	// asking again does not mend is wrapped with Permanent.
	Secret(ctx context.Context) (Secret, error)
}

// SecretDiscarder is a [SecretSource] that is told which value a server rejected.
// If it then returns another one, the request is sent once more, under the same
// conditions as with a [Discarder].
type SecretDiscarder interface {
	SecretSource
	// Discard says that the server rejected this value, which Secret returned. It
	// must be safe for concurrent use.
	Discard(ctx context.Context, rejected Secret)
}

// SecretSourceFunc is a function as a [SecretSource].
type SecretSourceFunc func(ctx context.Context) (Secret, error)

// Secret calls f.
func (f SecretSourceFunc) Secret(ctx context.Context) (Secret, error) { return f(ctx) }

// secretOf asks a source for a secret that check lets pass, and tells of it unless
// the source does that itself.
func secretOf(ctx context.Context, source SecretSource, check func(Secret) error) (secret Secret, err error) {
	if _, ok := source.(*FileSecretSource); !ok {
		began := time.Now()
		defer func() { tellFetch(ctx, TokenFetch{Took: time.Since(began), Err: err}, nil) }()
	}
	defer recoverSource("secret source", &err)
	if secret, err = source.Secret(ctx); err != nil {
		return "", sound.Error("routeauth: the secret source", err)
	}
	return secret, check(secret)
}

const (
	secretFileInterval = time.Second // how often a file is looked at, at most
	maxSecretFile      = 64 << 10
)

// FileSecretSource is a [SecretDiscarder] that reads the credential from a file,
// as platforms mount them and secret managers write them. White space at the end
// of the file is cut off. It is safe for concurrent use; there is nothing to
// close. The zero value always fails.
//
// The file is looked at when a credential is asked for, at most once a second, and
// read again when its size, time or inode has changed; so a file that is replaced
// by switching a symbolic link, as Kubernetes does, is found. After a 401 it is
// read at once.
//
// A file that cannot be read, is empty, has more than one line or more than
// 64 KiB, or is not a regular one, is a failed read, which a [Trace] sees. The
// last value is served on, for as long as there is one. Without one, the request
// fails with a temporary [*CredentialError] that names the file.
type FileSecretSource struct{ file hidden[*secretFile] }

// NewFileSecretSource returns a source that reads the file at path. The file need
// not be there yet. An empty path is an error.
func NewFileSecretSource(path string) (*FileSecretSource, error) {
	if path == "" {
		return nil, joinErrors(fmt.Errorf("path of the secret file is empty"))
	}
	return &FileSecretSource{hide(&secretFile{path: path})}, nil
}

// Secret returns what is in the file.
func (s *FileSecretSource) Secret(ctx context.Context) (Secret, error) {
	if s == nil || s.file == nil {
		return "", errNotConstructed("secret source", "NewFileSecretSource")
	}
	return s.file().get(ctx)
}

// Discard makes the next call of Secret read the file, if the rejected value is
// the one that was read last.
func (s *FileSecretSource) Discard(_ context.Context, rejected Secret) {
	if s == nil || s.file == nil {
		return
	}
	f := s.file()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.secret == rejected {
		f.stale = true
	}
}

// secretFile is a file with a secret, as it was last seen.
type secretFile struct {
	path string

	mu     sync.Mutex // guards the rest, and is held while the file is read
	secret Secret     // "" until a read succeeds
	seen   os.FileInfo
	looked time.Time
	stale  bool  // the server rejected what was read
	err    error // of the last read
}

func (f *secretFile) get(ctx context.Context) (Secret, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if f.stale || f.looked.IsZero() || now.Sub(f.looked) >= secretFileInterval {
		f.look(ctx, now)
	}
	if f.secret == "" {
		return "", f.err
	}
	return f.secret, nil
}

// look reads the file if it is another one than before. The caller holds f.mu.
func (f *secretFile) look(ctx context.Context, now time.Time) {
	f.looked = now
	info, err := os.Stat(f.path)
	if err == nil && !f.stale && f.err == nil && f.seen != nil && isSameFile(info, f.seen) {
		return
	}
	var secret Secret
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("secret file %s is not a regular file", f.path) // a pipe would block
	} else {
		secret, info, err = readSecret(f.path)
	}
	f.stale, f.err = false, err
	if err == nil {
		f.secret, f.seen = secret, info
	}
	tellFetch(ctx, TokenFetch{Took: time.Since(now), Err: err}, nil)
}

func isSameFile(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// readSecret reads a secret, and what can be seen of the very file that it was
// read from.
func readSecret(path string) (Secret, os.FileInfo, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", nil, fmt.Errorf("secret file: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", nil, fmt.Errorf("secret file: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxSecretFile+1))
	secret := strings.TrimRight(string(data), " \t\r\n")
	switch {
	case err != nil:
		return "", nil, fmt.Errorf("secret file: %w", err)
	case len(data) > maxSecretFile:
		return "", nil, fmt.Errorf("secret file %s is larger than %d bytes", path, maxSecretFile)
	case secret == "":
		return "", nil, fmt.Errorf("secret file %s is empty", path)
	case strings.ContainsAny(secret, "\r\n"):
		return "", nil, fmt.Errorf("secret file %s has more than one line", path)
	}
	return Secret(secret), info, nil
}
