//go:build !unix

package filetokens

import "io/fs"

// accessProblem says why others than the user can get at a file or folder, or
// returns "" where they cannot. Without modes that cannot be told.
func accessProblem(fs.FileInfo) string { return "" }
