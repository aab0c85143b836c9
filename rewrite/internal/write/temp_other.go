//go:build !unix

package write

import (
	"io/fs"
	"os"

	"github.com/google/renameio/v2/maybe"
)

// held is content that waits in memory, for systems without atomic replacement.
type held struct {
	path    string
	perm    fs.FileMode
	content []byte
}

func newTemp(path string, info fs.FileInfo, content []byte) (tempFile, error) {
	return held{path, info.Mode().Perm(), content}, nil
}

func (h held) replace() error { return maybe.WriteFile(h.path, h.content, h.perm) }

func (h held) discard() {}

// links returns 1: files are written in place anyway.
func links(fs.FileInfo) uint64 { return 1 }

func mustStay(error) bool { return false }

// replaceFile writes data to path.
func replaceFile(path string, data []byte, perm os.FileMode) error {
	return maybe.WriteFile(path, data, perm)
}

// tryLock does nothing: there is no portable lock.
func tryLock(*os.File) bool { return true }
