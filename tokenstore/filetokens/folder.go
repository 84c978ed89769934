package filetokens

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	folderMode fs.FileMode = 0o700
	fileMode   fs.FileMode = 0o600
	others     fs.FileMode = 0o077 // what neither may allow
)

// folder is where the files are.
type folder string

// openFolder makes the folder if it is not there, and checks that it is this
// user's alone.
func openFolder(dir string) (folder, error) {
	if dir == "" {
		return "", &ConfigError{What: "folder", Problem: "has no name"}
	}
	dir, err := filepath.Abs(dir) // the program may change its working directory
	if err != nil {
		return "", &ConfigError{"folder", "cannot be found", err}
	}
	f := folder(dir)
	if err := f.make(); err != nil {
		return "", &ConfigError{"folder", "cannot be made", err}
	}
	info, err := os.Stat(dir)
	if err != nil {
		return "", &ConfigError{"folder", "cannot be read", err}
	}
	if !info.IsDir() {
		return "", &ConfigError{What: "folder", Problem: dir + " is not a folder"}
	}
	if problem := accessProblem(info); problem != "" {
		return "", &ConfigError{What: "folder", Problem: dir + " " + problem +
			": choose another folder, or make it yours alone (chmod 700)"}
	}
	return f, nil
}

// make makes the folder. One that is there is left as it is.
func (f folder) make() error { return os.MkdirAll(string(f), folderMode) }

func (f folder) path(name string) string { return filepath.Join(string(f), name) }

// retry does something in the folder, and once more if the folder was removed
// since the program began, as users do with their cache.
func (f folder) retry(do func() error) error {
	err := do()
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := f.make(); err != nil {
		return err
	}
	return do()
}
