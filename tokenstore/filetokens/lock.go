package filetokens

import (
	"errors"
	"os"
	"sync"

	"github.com/gofrs/flock"
)

// locks are the locks of one folder that this process holds. Between processes
// the file system keeps a lock; within one, some systems give a lock to whoever
// asks, since the process has it.
type locks struct {
	folder folder

	mu   sync.Mutex
	held map[string]bool
}

// try returns a lock, or false where somebody else has it. It does not wait.
func (l *locks) try(name string) (unlock func(), locked bool, err error) {
	if !l.hold(name) {
		return nil, false, nil
	}
	if err := l.folder.checkLock(name); err != nil {
		l.letGo(name)
		return nil, false, err
	}
	file := flock.New(l.folder.path(name), flock.SetPermissions(fileMode))
	err = l.folder.retry(func() (err error) {
		locked, err = file.TryLock()
		return err
	})
	if err != nil || !locked {
		l.letGo(name)
		return nil, false, err
	}
	return func() {
		_ = file.Close() // the lock goes with the file's handle, also after an error
		l.letGo(name)
	}, true, nil
}

var errNoFile = errors.New("filetokens: what stands in the place of a lock is not a file")

// checkLock returns an error if something else than a file stands in a lock's
// place. To open it may wait for ever.
func (f folder) checkLock(name string) error {
	info, err := os.Lstat(f.path(name))
	if err == nil && !info.Mode().IsRegular() {
		return errNoFile
	}
	return nil // one that is not there is made
}

func (l *locks) hold(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[name] {
		return false
	}
	l.held[name] = true
	return true
}

func (l *locks) letGo(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.held, name)
}
