//go:build unix

package filetokens

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// accessProblem says why others than the user can get at a file or folder, or
// returns "" where they cannot.
func accessProblem(info fs.FileInfo) string {
	if mode := info.Mode().Perm(); mode&others != 0 {
		return fmt.Sprintf("has mode %#o, which lets others in", mode)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() {
		return fmt.Sprintf("belongs to user %d, and this program runs as %d", owner.Uid, os.Geteuid())
	}
	return ""
}
