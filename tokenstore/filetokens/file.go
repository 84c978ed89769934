package filetokens

import (
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"time"
)

// maxFile is more than any token's file has.
const maxFile = 1 << 20

// read returns the record in a token's file, or none where there is no such file
// or it cannot be used: damaged, another name's, not a file, or open to others.
func (f folder) read(n names) record {
	path := f.path(n.token)
	info, err := os.Lstat(path) // to open another kind of file may wait for ever
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxFile || accessProblem(info) != "" {
		return record{}
	}
	file, err := os.Open(path)
	if err != nil {
		return record{}
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return record{}
	}
	return parseRecord(string(text), n.token)
}

// write replaces a token's file, whole or not at all. The caller holds the lock.
func (f folder) write(n names, r record) error {
	temporary := f.path(n.temporary)
	_ = os.Remove(temporary) // of a process that was killed
	if err := writeNew(temporary, r.text(n.token)); err != nil {
		_ = os.Remove(temporary)
		return err
	}
	if err := rename(temporary, f.path(n.token)); err != nil {
		_ = os.Remove(temporary)
		return err
	}
	return nil
}

// writeNew writes a file that must not be there, and waits until it is on the
// disk: after a crash, a file that was renamed may otherwise be empty.
func writeNew(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Sync(), file.Close())
}

// rename renames a file over another. On Windows that fails while somebody reads
// the other, which takes a moment.
func rename(from, to string) error {
	err := os.Rename(from, to)
	for tries := 0; err != nil && runtime.GOOS == "windows" && tries < 10; tries++ {
		time.Sleep(5 * time.Millisecond)
		err = os.Rename(from, to)
	}
	return err
}

// remove removes the files of a token. The caller holds the lock.
func (f folder) remove(n names) {
	_ = os.Remove(f.path(n.token))
	_ = os.Remove(f.path(n.temporary))
}

// tokens returns the names of every token that has a file or a temporary file.
func (f folder) tokens() (all []names) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		if n, ok := namesOfFile(entry.Name()); ok {
			all = append(all, n)
		}
	}
	return slices.Compact(all) // the files of one token stand together
}

// isOver reports whether nobody can use the file of a token: it ended, is
// damaged or is not there.
func (f folder) isOver(n names, now time.Time) bool { return f.read(n).left(now) <= 0 }
