//go:build unix

package write

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/renameio/v2"
)

// pending is a temporary file that a rename puts in place.
type pending struct{ *renameio.PendingFile }

// newTemp writes content, synced, to a hidden file in the directory of path,
// with the permissions and the owner of info. fs.ErrPermission means that the
// directory or the owner does not allow that.
func newTemp(path string, info fs.FileInfo, content []byte) (tempFile, error) {
	f, err := renameio.NewPendingFile(path,
		renameio.WithTempDir(filepath.Dir(path)),
		renameio.WithStaticPermissions(info.Mode().Perm()))
	if err != nil {
		return nil, err
	}
	p := pending{f}
	if err := p.fill(info, content); err != nil {
		p.discard()
		return nil, err
	}
	return p, nil
}

func (p pending) fill(info fs.FileInfo, content []byte) error {
	if err := p.keepOwner(info); err != nil {
		return err
	}
	if _, err := p.Write(content); err != nil {
		return err
	}
	return p.Sync()
}

// keepOwner gives the file the owner and group of info.
func (p pending) keepOwner(info fs.FileInfo) error {
	want, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	own, err := p.Stat()
	if err != nil {
		return err
	}
	if have, ok := own.Sys().(*syscall.Stat_t); ok && have.Uid == want.Uid && have.Gid == want.Gid {
		return nil
	}
	if err := p.Chown(int(want.Uid), int(want.Gid)); err != nil {
		return err
	}
	// A change of owner may clear permissions.
	return p.Chmod(info.Mode().Perm())
}

func (p pending) replace() error { return p.CloseAtomicallyReplace() }

func (p pending) discard() { _ = p.Cleanup() }

// links returns the number of names that the file has.
func links(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Nlink)
	}
	return 1
}

// mustStay reports whether a rename failed because the file is mounted by
// itself, as containers do with single files: only its content can change.
func mustStay(err error) bool {
	return errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EXDEV)
}

// replaceFile writes data to path in one step, keeping the permissions of a
// file that is there already.
func replaceFile(path string, data []byte, perm os.FileMode) error {
	return renameio.WriteFile(path, data, perm, renameio.WithTempDir(filepath.Dir(path)))
}

// tryLock takes the lock that f stands for, unless another process has it.
func tryLock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
