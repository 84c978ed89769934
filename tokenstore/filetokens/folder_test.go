//go:build unix

package filetokens_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/filetokens"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func modeOf(t testing.TB, name string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(name)
	require.NoError(t, err)
	return info.Mode().Perm()
}

func TestTheFolderAndItsFilesAreTheUsersAlone(t *testing.T) {
	dir := newFolder(t)
	tokenOf(t, stored(t, dir, newIssuer(time.Hour)))
	assert.EqualValues(t, 0o700, modeOf(t, dir))
	assert.EqualValues(t, 0o700, modeOf(t, filepath.Dir(dir)))
	for _, name := range files(t, dir, "") {
		assert.EqualValues(t, 0o600, modeOf(t, name), name)
	}
}

func TestAFolderThatLetsOthersInIsRefusedAndLeftAsItIs(t *testing.T) {
	for _, mode := range []fs.FileMode{0o755, 0o710, 0o701, 0o704, 0o720, 0o777} {
		dir := filepath.Join(t.TempDir(), "tokens")
		require.NoError(t, os.Mkdir(dir, 0o700))
		require.NoError(t, os.Chmod(dir, mode))
		_, err := filetokens.New(dir, newIssuer(time.Hour))
		var wrong *filetokens.ConfigError
		require.ErrorAs(t, err, &wrong)
		assert.Equal(t, "folder", wrong.What)
		assert.Contains(t, wrong.Problem, "chmod 700")
		assert.Equal(t, mode, modeOf(t, dir))
	}
}

func TestAFolderOfAnotherUserIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a folder away")
	}
	dir := filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.Chown(dir, 65534, -1))
	_, err := filetokens.New(dir, newIssuer(time.Hour))
	assert.ErrorContains(t, err, "belongs to user 65534")
}

func TestAFolderThatCannotBeMadeIsAnErrorOfTheFileSystem(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		_, err := filetokens.New(dir, newIssuer(time.Hour))
		var wrong *filetokens.ConfigError
		require.ErrorAs(t, err, &wrong)
		var cause *fs.PathError
		assert.ErrorAs(t, err, &cause)
	}
}

func TestEverythingThatIsWrongIsReportedAtOnce(t *testing.T) {
	for name, source := range map[string]routeauth.TokenSource{
		"nil": nil, "a nil pointer": (*routeauth.TokenCache)(nil), "a nil function": routeauth.TokenSourceFunc(nil),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := filetokens.New("", source, nil, filetokens.WithFetchTimeout(0), filetokens.WithFetchTimeout(-1))
			assert.Nil(t, s)
			var joined interface{ Unwrap() []error }
			require.ErrorAs(t, err, &joined)
			require.Len(t, joined.Unwrap(), 5)
			for i, what := range []string{"folder", "token source", "option 1", "fetch timeout", "fetch timeout"} {
				var wrong *filetokens.ConfigError
				require.ErrorAs(t, joined.Unwrap()[i], &wrong)
				assert.Equal(t, what, wrong.What)
			}
		})
	}
	assert.NotEmpty(t, (*filetokens.ConfigError)(nil).Error())
	assert.NoError(t, (*filetokens.ConfigError)(nil).Unwrap())
}

func TestAFolderWithARelativeNameStaysTheSame(t *testing.T) {
	t.Chdir(t.TempDir())
	s := stored(t, "tokens", newIssuer(time.Hour))
	dir, err := filepath.Abs("tokens")
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	tokenOf(t, s)
	assert.Len(t, files(t, dir, ".token"), 1)
}

// Whatever stands in the place of a token's file is a miss, and is replaced.
func TestAFileThatIsDamagedOrForeignIsAMiss(t *testing.T) {
	dir, source := newFolder(t), newIssuer(time.Hour)
	s := stored(t, dir, source)
	tokenOf(t, s)
	name := theFile(t, dir)
	good, err := os.ReadFile(name)
	require.NoError(t, err)
	write := func(text string) func() error {
		return func() error { return os.WriteFile(name, []byte(text), 0o600) }
	}
	for what, plant := range map[string]func() error{
		"empty":          write(""),
		"cut off":        write(string(good[:len(good)-1])),
		"cut in half":    write(string(good[:len(good)/2])),
		"longer":         write(string(good) + "\n"),
		"another token":  write(strings.Replace(string(good), "secret", "public", 1)),
		"a later end":    write(strings.Replace(string(good), " ", " 9", 1)),
		"binary":         write("\x00\xff"),
		"open to others": func() error { return os.Chmod(name, 0o644) },
		"another's file": func() error {
			if _, err := s.Token(routeauth.ContextWithIdentity(context.Background(), "a"), nil); err != nil {
				return err
			}
			for _, other := range files(t, dir, ".token") {
				if other != name {
					return os.Rename(other, name)
				}
			}
			return errors.New("no other file")
		},
		"too large": func() error { return os.Truncate(name, 2<<20) },
		"a link":    func() error { return errors.Join(os.Rename(name, name+"x"), os.Symlink(name+"x", name)) },
	} {
		t.Run(what, func(t *testing.T) {
			require.NoError(t, errors.Join(os.RemoveAll(name), write(string(good))()))
			require.Equal(t, nth(1), tokenOf(t, s))
			require.NoError(t, plant())
			before := source.fetches.Load()
			got := tokenOf(t, s)
			assert.Greater(t, source.fetches.Load(), before)
			assert.Equal(t, got, tokenOf(t, stored(t, dir, source)))
			assert.EqualValues(t, 0o600, modeOf(t, name))
		})
	}
}

func TestAFolderThatWasRemovedIsMadeAgain(t *testing.T) {
	dir, source := newFolder(t), newIssuer(time.Hour)
	s := stored(t, dir, source)
	require.NoError(t, os.RemoveAll(filepath.Dir(dir)))
	tokenOf(t, s)
	assert.Equal(t, nth(1), tokenOf(t, s))
	assert.EqualValues(t, 0o700, modeOf(t, dir))
}

func TestIfTheFileCannotBeWrittenTheRequestGoesOn(t *testing.T) {
	for what, spoil := range map[string]func(t *testing.T, dir string){
		"a file in the folder's place": func(t *testing.T, dir string) {
			require.NoError(t, errors.Join(os.Remove(dir), os.WriteFile(dir, nil, 0o600)))
		},
		"a folder in the temporary file's place": func(t *testing.T, dir string) {
			s := stored(t, dir, newIssuer(time.Hour))
			tokenOf(t, s)
			name := theFile(t, dir)
			require.NoError(t, os.Remove(name))
			below := filepath.Join(strings.TrimSuffix(name, ".token")+".tmp", "below")
			require.NoError(t, os.MkdirAll(below, 0o700))
		},
		"a folder in the lock's place": func(t *testing.T, dir string) {
			tokenOf(t, stored(t, dir, newIssuer(time.Hour)))
			lock := files(t, dir, ".lock")[0]
			require.NoError(t, errors.Join(os.Remove(theFile(t, dir)), os.Remove(lock), os.Mkdir(lock, 0o700)))
			require.NoError(t, os.Chmod(lock, 0))
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir, source := newFolder(t), newIssuer(time.Hour)
			s := stored(t, dir, source)
			spoil(t, dir)
			tokenOf(t, s)
			s.Discard(t.Context(), nil, nth(1))
			tokenOf(t, s)
		})
	}
}

// To open a fifo waits for somebody who writes to it.
func TestWhatIsNoFileInThePlaceOfALockHoldsUpNobody(t *testing.T) {
	dir, source := newFolder(t), newIssuer(time.Hour)
	s := stored(t, dir, source)
	tokenOf(t, s)
	lock, name := files(t, dir, ".lock")[0], theFile(t, dir)
	good, err := os.ReadFile(name)
	require.NoError(t, err)
	for what, plant := range map[string]func() error{
		"a fifo":            func() error { return syscall.Mkfifo(lock, 0o600) },
		"a folder":          func() error { return os.Mkdir(lock, 0o700) },
		"a link to nowhere": func() error { return os.Symlink(lock+"x", lock) },
	} {
		t.Run(what, func(t *testing.T) {
			require.NoError(t, errors.Join(os.RemoveAll(lock), os.RemoveAll(name), plant()))
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			token, err := s.Token(ctx, nil)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(name, good, 0o600))
			s.Discard(ctx, nil, nth(1))
			again, err := s.Token(ctx, nil)
			require.NoError(t, err)
			assert.NotEqual(t, token.Value, again.Value)
			assert.NoFileExists(t, lock+"x")
		})
	}
	require.NoError(t, errors.Join(os.RemoveAll(lock), os.RemoveAll(name)))
	kept := tokenOf(t, s)
	assert.Equal(t, kept, tokenOf(t, stored(t, dir, source)))
}

func TestWhatAKilledProcessLeftBehindIsRemoved(t *testing.T) {
	dir, source := newFolder(t), newIssuer(time.Hour)
	s := stored(t, dir, source)
	tokenOf(t, s)
	name := theFile(t, dir)
	mine := strings.TrimSuffix(name, ".token") + ".tmp"
	another := filepath.Join(dir, strings.Repeat("ab", 32)+".tmp")
	foreign := filepath.Join(dir, "notes.tmp")
	for _, left := range []string{mine, another, foreign} {
		require.NoError(t, os.WriteFile(left, []byte("half a tok"), 0o600))
	}
	require.NoError(t, os.Remove(name))
	tokenOf(t, s)
	assert.NoFileExists(t, mine)
	assert.NoFileExists(t, another)
	assert.FileExists(t, foreign, "it is not this package's")
}

func TestFilesOfTokensThatEndedAreRemovedWhenTheNextIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := newFolder(t)
		short, long := stored(t, dir, newIssuer(time.Minute)), stored(t, dir, newIssuer(time.Hour))
		write := func(s *filetokens.Source, user int) {
			_, err := s.Token(routeauth.ContextWithIdentity(t.Context(), fmt.Sprint(user)), nil)
			require.NoError(t, err)
		}
		for user := range 30 {
			write(short, user)
			write(long, 1000+user)
		}
		require.Len(t, files(t, dir, ".token"), 60)
		time.Sleep(time.Minute)
		write(long, 2000)
		assert.Len(t, files(t, dir, ".token"), 31)
	})
}
